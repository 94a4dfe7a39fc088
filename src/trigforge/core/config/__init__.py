"""The spec: one YAML file a model, every key checked, nothing important hidden.

Units are in the key names. Part, clock and seeds have no default. All wrong keys are
reported at once, each with its path. Each module describes some of the sections; read
``spec`` first.
"""

from trigforge.core.config.hardware import Acceptance, Budget, Hardware
from trigforge.core.config.network import (
    Conv2dNetwork,
    ConvolutionBlock,
    DenseNetwork,
    NetworkSpec,
    Quantization,
    Training,
)
from trigforge.core.config.sample import JetSample, JetsHlf, SampleSpec, TopImages
from trigforge.core.config.section import IoType, Section
from trigforge.core.config.spec import (
    AnySpec,
    ImportedInputs,
    ImportedModel,
    ImportedSpec,
    Spec,
)

__all__ = [
    "Acceptance",
    "AnySpec",
    "Budget",
    "Conv2dNetwork",
    "ConvolutionBlock",
    "DenseNetwork",
    "Hardware",
    "ImportedInputs",
    "ImportedModel",
    "ImportedSpec",
    "IoType",
    "JetSample",
    "JetsHlf",
    "NetworkSpec",
    "Quantization",
    "SampleSpec",
    "Section",
    "Spec",
    "TopImages",
    "Training",
]
