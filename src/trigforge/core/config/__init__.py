"""The spec: one YAML file a model, every key checked, nothing important hidden.

Units are in the key names. Part, clock and seeds have no default. All wrong keys are
reported at once, each with its path. Each module describes some of the sections; read
``spec`` first.
"""

from trigforge.core.config.hardware import Acceptance, Budget, Hardware
from trigforge.core.config.network import (
    AnomalyNetwork,
    Conv2dNetwork,
    Conv2dStudent,
    ConvolutionBlock,
    DenseAutoencoder,
    DenseNetwork,
    NetworkSpec,
    Quantization,
    Teacher,
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
    "AnomalyNetwork",
    "AnySpec",
    "Budget",
    "Conv2dNetwork",
    "Conv2dStudent",
    "ConvolutionBlock",
    "DenseAutoencoder",
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
    "Teacher",
    "TopImages",
    "Training",
]
