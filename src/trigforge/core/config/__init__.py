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
    LayerFormats,
    NetworkSpec,
    Quantization,
    Teacher,
    Training,
)
from trigforge.core.config.sample import (
    CROSSING_VARIABLES,
    ZERO_BIAS,
    CalorimeterRegions,
    CrossingSample,
    JetSample,
    JetsHlf,
    SampleSpec,
    TopImages,
    TriggerObjects,
)
from trigforge.core.config.section import IoType, Section
from trigforge.core.config.spec import (
    AnySpec,
    ImportedInputs,
    ImportedModel,
    ImportedSpec,
    Spec,
)
from trigforge.core.config.trigger import Trigger, TurnOn

__all__ = [
    "CROSSING_VARIABLES",
    "ZERO_BIAS",
    "Acceptance",
    "AnomalyNetwork",
    "AnySpec",
    "Budget",
    "CalorimeterRegions",
    "Conv2dNetwork",
    "Conv2dStudent",
    "ConvolutionBlock",
    "CrossingSample",
    "DenseAutoencoder",
    "DenseNetwork",
    "Hardware",
    "ImportedInputs",
    "ImportedModel",
    "ImportedSpec",
    "IoType",
    "JetSample",
    "JetsHlf",
    "LayerFormats",
    "NetworkSpec",
    "Quantization",
    "SampleSpec",
    "Section",
    "Spec",
    "Teacher",
    "TopImages",
    "Training",
    "Trigger",
    "TriggerObjects",
    "TurnOn",
]
