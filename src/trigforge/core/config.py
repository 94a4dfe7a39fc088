"""The spec: one YAML file a model, every key checked, nothing important hidden.

Units are in the key names. Part, clock and seeds have no default. All wrong keys are
reported at once, each with its path.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import FixedPointFormat, Overflow, parse_format
from trigforge.core.links_config import Links

Fraction = Annotated[float, Field(gt=0, lt=1)]
IoType = Literal["io_parallel", "io_stream"]
Multipliers = Literal["dsp", "da", "auto"]


def _format_text(text: str) -> str:
    try:
        parse_format(text)
    except InputError as error:
        raise ValueError(str(error)) from error
    return text


def _rising(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] >= limits[1]:
        msg = f"{limits[0]:g} to {limits[1]:g} is no range; write the lower end first"
        raise ValueError(msg)
    return limits


FormatText = Annotated[str, AfterValidator(_format_text)]
Positive = Annotated[float, Field(gt=0)]
FileName = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]
Name = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="also the C++ identifier")
]
Range = Annotated[tuple[Positive, Positive], AfterValidator(_rising)]


class Section(BaseModel):
    """A part of the spec: unknown keys are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class JetSample(Section):
    """What every jet sample says: how jets are made and how many."""

    jets_per_class: int = Field(ge=100, description="jets of each class, train and test together")
    test_fraction: Fraction = Field(description="share of the events held out for testing")
    seed: int = Field(ge=1, description="seed of the event generator")
    jet_radius: float = Field(gt=0, le=1.5, description="R of the anti-kT algorithm")
    multi_parton_interactions: bool = Field(description="slower and softer; off for quick samples")


class JetsHlf(JetSample):
    """Five classes of jets described by 16 high-level features."""

    kind: Literal["jets_hlf"]
    parton_pt_gev: Range = Field(description="range of the hard process' transverse momentum")
    boson_source: Literal["scalar", "graviton", "pair"] = Field(
        description="W and Z from a 2 TeV scalar, a 2 TeV graviton or qqbar -> VV",
    )


class TopImages(JetSample):
    """Top against QCD jets as images of calorimeter towers."""

    kind: Literal["top_images"]
    jet_pt_gev: Range = Field(description="window of the jets' transverse momentum")
    n_pixels: int = Field(ge=4, le=128, description="rows and columns of the image")
    image_width: float = Field(gt=0, le=3.2, description="side of the image in eta and phi")
    tower_size: float = Field(gt=0, le=0.2, description="side of a calorimeter tower")
    normalise: Literal["none", "sum", "maximum"] = Field(
        description="none keeps transverse energy; sum and maximum divide each image by its own",
    )
    pixel_bits: int = Field(ge=1, le=16, description="bits a link carries for a pixel")
    pixel_lsb: float = Field(
        gt=0, description="value of the lowest bit: GeV, or a share if normalised"
    )


SampleSpec = Annotated[JetsHlf | TopImages, Field(discriminator="kind")]


class DenseNetwork(Section):
    """Fully connected layers with ReLU; the last gives one logit a class."""

    architecture: Literal["dense"]
    hidden_units: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(min_length=1)


class ConvolutionBlock(Section):
    """A 2D convolution with ReLU, then maximum pooling (1: none)."""

    filters: int = Field(ge=1, le=256)
    kernel: int = Field(ge=1, le=11)
    stride: int = Field(default=1, ge=1, le=4)
    padding: Literal["valid", "same"]
    pool: int = Field(default=1, ge=1, le=4)


class Conv2dNetwork(Section):
    """Convolution blocks, then fully connected layers; the last gives the logits."""

    architecture: Literal["conv2d"]
    blocks: tuple[ConvolutionBlock, ...] = Field(min_length=1)
    hidden_units: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = ()


NetworkSpec = Annotated[DenseNetwork | Conv2dNetwork, Field(discriminator="architecture")]


class Quantization(Section):
    """Formats of the link, of weights and of activations.

    ``weight_format`` and ``bias_format`` are signed, ``activation_format`` is unsigned (it
    follows a ReLU); the quantisers of QKeras round to nearest even and saturate.
    """

    link_format: FormatText = Field(description="what the trigger link carries, per element")
    input_format: FormatText | None = Field(
        default=None, description="after the standardisation; null: the link's values go in as is"
    )
    weight_format: FormatText
    bias_format: FormatText
    activation_format: FormatText

    @field_validator("weight_format", "bias_format", "activation_format", "input_format")
    @classmethod
    def _quantisers_saturate(cls, text: str | None) -> str | None:
        if text is not None and not parse_format(text).has_default_modes:
            msg = "write it without modes: QKeras rounds to nearest even and saturates"
            raise ValueError(msg)
        return text

    @model_validator(mode="after")
    def _signs(self) -> Quantization:
        signs = {"weight_format": True, "bias_format": True, "activation_format": False}
        for key, signed in signs.items():
            if parse_format(getattr(self, key)).signed is not signed:
                msg = f"{key}: {getattr(self, key)} must be {'signed' if signed else 'unsigned'}"
                raise ValueError(msg)
        return self

    def parsed(self, key: str) -> FixedPointFormat:
        """Return one of the formats as a value."""
        return parse_format(getattr(self, key))


class Training(Section):
    """How the float baseline and the quantised network are trained."""

    seed: int = Field(ge=0)
    epochs: int = Field(ge=1, le=10_000, description="at most; early stopping ends sooner")
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0, lt=1)
    patience_epochs: int = Field(ge=1, description="epochs without improvement before stopping")
    validation_fraction: Fraction
    sparsity: float = Field(default=0.0, ge=0, lt=1, description="share of weights pruned to zero")


class Hardware(Section):
    """The device and how high-level synthesis is to build for it."""

    part: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="FPGA part as the vendor writes it")
    clock_mhz: float = Field(gt=0, le=1000)
    io_type: IoType
    backend: Literal["Vitis", "Vivado", "Quartus", "oneAPI", "Catapult"] = "Vitis"
    strategy: Literal["Latency", "Resource"] = "Latency"
    reuse_factor: int = Field(default=1, ge=1)
    implementation: Literal["hls", "da", "timemux", "auto"] = Field(
        default="hls",
        description="what becomes firmware: the HLS project by the vendor's tools, RTL by "
        "distributed arithmetic, time-multiplexed RTL, or the cheapest RTL within the budget",
    )
    multipliers: Multipliers = Field(
        default="dsp",
        description="of time-multiplexed RTL: DSPs, distributed arithmetic (constant weights), "
        "or for each layer what takes less of the part",
    )
    layer_multipliers: dict[str, Multipliers] = Field(
        default_factory=dict, description="for single layers, by name: instead of multipliers"
    )

    @property
    def has_rtl(self) -> bool:
        """RTL is written, not only the HLS project."""
        return self.implementation != "hls"

    def multipliers_of(self, layer: str) -> Multipliers:
        """Return how a layer of time-multiplexed RTL multiplies."""
        return self.layer_multipliers.get(layer, self.multipliers)


class Budget(Section):
    """What the trigger allows."""

    interval_crossings: int = Field(default=1, ge=1, description="a new event every so many")
    latency_ns: float = Field(gt=0)
    lut_share: float = Field(gt=0, le=1)
    ff_share: float = Field(gt=0, le=1)
    dsp_share: float = Field(gt=0, le=1)
    bram_share: float = Field(gt=0, le=1)


class Acceptance(Section):
    """When the result is good enough; losses are float minus quantised."""

    bit_exact: Literal[True] = True
    io_types: tuple[IoType, ...] = Field(
        min_length=1, description="io types whose C simulation must agree"
    )
    signal_efficiency: Fraction = Field(
        description="where the background rejection of a class is quoted"
    )
    accuracy_loss: Fraction | None = None
    auc_loss: Fraction | None = None
    deviation: Positive | None = Field(
        default=None, description="largest distance of an output from the original model's"
    )


class Spec(Section):
    """A trigger network from sample to firmware."""

    spec_version: Literal[1]
    name: Name
    sample: SampleSpec
    network: NetworkSpec
    quantization: Quantization
    training: Training
    hardware: Hardware
    budget: Budget
    acceptance: Acceptance
    links: Links | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> Spec:
        link = self.quantization.parsed("link_format")
        if isinstance(self.sample, TopImages):
            _check_images(self.sample, link)
        elif isinstance(self.network, Conv2dNetwork):
            msg = "network.architecture: conv2d needs images; jets_hlf has 16 features, use dense"
            raise ValueError(msg)
        elif self.quantization.input_format is None:
            msg = "quantization.input_format: jets_hlf features are standardised in the model"
            raise ValueError(msg)
        if isinstance(self.network, Conv2dNetwork) and isinstance(self.sample, TopImages):
            _check_shapes(self.network, self.sample.n_pixels)
        _check_io_types(self.hardware, self.acceptance)
        return self


class ImportedModel(Section):
    """A trained model as it came; paths are relative to the spec's folder."""

    file: FileName = Field(description=".keras, .h5, .json or .onnx")
    weights: FileName | None = Field(default=None, description="of a .json: its .h5")
    formats: FileName = Field(description="hls4ml configuration: the format of every tensor")
    end_in_logits: bool = Field(
        default=False, description="leave out the softmax or sigmoid at the end"
    )


class ImportedInputs(Section):
    """The events an imported model is tried on, and how the link carries them."""

    file: FileName | None = Field(description="null: random numbers, normal with spread 1")
    n_events: int = Field(ge=1, le=1_000_000, description="at most so many of the file's")
    link_format: FormatText = Field(description="of the model's inputs as they are")
    seed: int = Field(ge=0)
    class_names: tuple[str, ...] = Field(
        default=(), description="of the outputs; two for one output, the second the signal"
    )

    def parsed_link(self) -> FixedPointFormat:
        """Return the link's format as a value."""
        return parse_format(self.link_format)


class ImportedSpec(Section):
    """A trigger network that was trained elsewhere, from its file to firmware."""

    spec_version: Literal[1]
    name: Name
    model: ImportedModel
    inputs: ImportedInputs
    hardware: Hardware
    budget: Budget
    acceptance: Acceptance
    links: Links | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> ImportedSpec:
        _check_io_types(self.hardware, self.acceptance)
        if self.inputs.parsed_link().overflow is not Overflow.WRAP:
            msg = "inputs.link_format: write it without modes: bits on a link know none"
            raise ValueError(msg)
        return self


AnySpec = Spec | ImportedSpec


def _check_io_types(hardware: Hardware, acceptance: Acceptance) -> None:
    if hardware.io_type not in acceptance.io_types:
        msg = f"acceptance.io_types: must contain hardware.io_type {hardware.io_type}"
        raise ValueError(msg)


def _check_images(sample: TopImages, link: FixedPointFormat) -> None:
    if link.signed or link.width != sample.pixel_bits or link.overflow is not Overflow.WRAP:
        msg = (
            f"quantization.link_format: {link} cannot carry {sample.pixel_bits}-bit unsigned "
            f"pixels; write ufixed<{sample.pixel_bits},...>"
        )
        raise ValueError(msg)


def _check_shapes(network: Conv2dNetwork, n_pixels: int) -> None:
    """Follow the image through the blocks; every map must keep at least one pixel."""
    side = n_pixels
    for index, block in enumerate(network.blocks):
        before = side
        if block.padding == "valid":
            side = (side - block.kernel) // block.stride + 1 if side >= block.kernel else 0
        else:
            side = -(-side // block.stride)
        side //= block.pool
        if side < 1:
            msg = (
                f"network.blocks.{index}: a {before}x{before} map is too small for kernel "
                f"{block.kernel} ({block.padding}), stride {block.stride}, pool {block.pool}"
            )
            raise ValueError(msg)
