"""The spec's ``network``, ``quantization`` and ``training`` sections."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from trigforge.core.config.section import FormatText, Fraction, Section
from trigforge.core.fixed_point import FixedPointFormat, parse_format

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def _is_unsigned(text: str) -> str:
    fmt = parse_format(text)
    if fmt.signed or not fmt.has_default_modes:
        msg = f"{text}: write ufixed<..> without modes: it follows a ReLU that rounds and saturates"
        raise ValueError(msg)
    return text


def _as_quantisers_do(text: str) -> str:
    if not parse_format(text).has_default_modes:
        msg = "write it without modes: QKeras rounds to nearest even and saturates"
        raise ValueError(msg)
    return text


def _of_weights(text: str) -> str:
    if not parse_format(text).signed:
        msg = f"{text} must be signed"
        raise ValueError(msg)
    return text


def _of_activations(text: str) -> str:
    if parse_format(text).signed:
        msg = f"{text} must be unsigned"
        raise ValueError(msg)
    return text


UnsignedText = Annotated[FormatText, AfterValidator(_is_unsigned)]
QuantisedText = Annotated[FormatText, AfterValidator(_as_quantisers_do)]
WeightText = Annotated[QuantisedText, AfterValidator(_of_weights)]
ActivationText = Annotated[QuantisedText, AfterValidator(_of_activations)]


class DenseNetwork(Section):
    """Fully connected layers with ReLU; the last gives one logit a class."""

    architecture: Literal["dense"]
    hidden_units: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        min_length=1, description="units of each hidden layer"
    )

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The layers with weights; all but the last end in a ReLU."""
        return (*_numbered("dense", self.hidden_units), "logits")


class ConvolutionBlock(Section):
    """A 2D convolution with ReLU, then maximum pooling (1: none)."""

    filters: int = Field(ge=1, le=256, description="channels of the result")
    kernel: int = Field(ge=1, le=11, description="side of the square kernel")
    stride: int = Field(default=1, ge=1, le=4, description="in both directions")
    padding: Literal["valid", "same"] = Field(description="none, or zeros around the image")
    pool: int = Field(default=1, ge=1, le=4, description="side of the pooling window; 1: none")


class Conv2dNetwork(Section):
    """Convolution blocks, then fully connected layers; the last gives the logits."""

    architecture: Literal["conv2d"]
    blocks: tuple[ConvolutionBlock, ...] = Field(min_length=1)
    hidden_units: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        default=(), description="units of each hidden layer behind the blocks"
    )

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The layers with weights; all but the last end in a ReLU."""
        return (*_convolutional(self), "logits")


class Teacher(Section):
    """A float convolutional autoencoder, whose reconstruction error a student learns.

    It is needed for training alone. Blocks of two convolutions of 3x3 and an average pooling
    of 2x2, a dense bottleneck, and their mirror image (CICADA: CMS DP-2023/086).
    """

    filters: tuple[Annotated[int, Field(ge=1, le=256)], ...] = Field(
        min_length=1, max_length=3, description="of each block's convolutions"
    )
    latent_units: int = Field(ge=1, le=1024, description="units of the bottleneck")
    epochs: int = Field(ge=1, le=10_000, description="at most; early stopping ends sooner")


class Conv2dStudent(Section):
    """A convolutional network with one output, the anomaly score that its teacher gives.

    The score is ``score_per_e_fold * ln(1 + mean squared error)`` of the teacher; large: unlike
    the zero-bias crossings that both are trained on.
    """

    architecture: Literal["conv2d_student"]
    blocks: tuple[ConvolutionBlock, ...] = Field(min_length=1)
    hidden_units: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        default=(), description="units of each hidden layer behind the blocks"
    )
    teacher: Teacher
    score_per_e_fold: float = Field(gt=0, description="score for each factor e of the error")
    score_format: UnsignedText = Field(description="of the score; unsigned")

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The layers with weights; all but the last end in a ReLU."""
        return (*_convolutional(self), "score_sum")


class DenseAutoencoder(Section):
    """A dense autoencoder that computes its own anomaly score, the sum of squared errors.

    ``hidden_units`` lead from the inputs to the bottleneck, the last of them; the decoder is
    their mirror image. Errors are taken on the standardised inputs (arXiv:2108.03986).
    """

    architecture: Literal["dense_autoencoder"]
    hidden_units: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        min_length=1, description="units of each layer of the encoder"
    )
    score_format: UnsignedText = Field(description="of the score; unsigned")

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The layers with weights; all but the last end in a ReLU."""
        return (*_numbered("dense", (*self.hidden_units, *self.hidden_units[1:])), "decoded")


NetworkSpec = Annotated[
    DenseNetwork | Conv2dNetwork | Conv2dStudent | DenseAutoencoder,
    Field(discriminator="architecture"),
]
AnomalyNetwork = Conv2dStudent | DenseAutoencoder
"""Networks trained on background alone, whose one output is the score."""
ConvolutionalNetwork = Conv2dNetwork | Conv2dStudent


def _numbered(name: str, layers: Sequence[object]) -> Iterator[str]:
    return (f"{name}_{index}" for index in range(len(layers)))


def _convolutional(network: ConvolutionalNetwork) -> Iterator[str]:
    yield from _numbered("conv", network.blocks)
    yield from _numbered("dense", network.hidden_units)


class LayerFormats(Section):
    """Formats of a single layer; what is not given is that of all layers."""

    weight_format: WeightText | None = Field(default=None, description="signed")
    bias_format: WeightText | None = Field(default=None, description="signed")
    activation_format: ActivationText | None = Field(default=None, description="unsigned")


class Quantization(Section):
    """Formats of the link, of weights and of activations.

    ``weight_format`` and ``bias_format`` are signed, ``activation_format`` is unsigned (it
    follows a ReLU); the quantisers of QKeras round to nearest even and saturate.
    """

    link_format: FormatText = Field(description="what the trigger link carries, per element")
    input_format: QuantisedText | None = Field(
        default=None, description="after the standardisation; null: the link's values go in as is"
    )
    weight_format: WeightText = Field(description="of all weights; signed")
    bias_format: WeightText = Field(description="of all biases; signed")
    activation_format: ActivationText = Field(description="of what a ReLU gives; unsigned")

    layers: dict[str, LayerFormats] = Field(
        default_factory=dict,
        exclude_if=operator.not_,  # a spec without has the digests it always had
        description="of single layers, by name (conv_0, dense_1, logits): instead of the above",
    )

    def parsed(self, key: str, layer: str | None = None) -> FixedPointFormat:
        """Return one of the formats as a value, of all layers or of a single one."""
        own = None if layer is None else getattr(self.layers.get(layer), key, None)
        return parse_format(own or getattr(self, key))


class Training(Section):
    """How the float baseline and the quantised network are trained."""

    seed: int = Field(ge=0, description="of initial weights and of the order of events")
    epochs: int = Field(ge=1, le=10_000, description="at most; early stopping ends sooner")
    batch_size: int = Field(ge=1, description="events between two updates of the weights")
    learning_rate: float = Field(gt=0, lt=1, description="of Adam, at the start")
    patience_epochs: int = Field(ge=1, description="epochs without improvement before stopping")
    validation_fraction: Fraction = Field(
        description="share of the training events on which early stopping decides"
    )
    sparsity: float = Field(default=0.0, ge=0, lt=1, description="share of weights pruned to zero")
    initial_weights: Literal["random", "float"] = Field(
        default="random",
        exclude_if=lambda start: start == "random",  # as for quantization.layers
        description="of the quantised network: random, or those of the float baseline",
    )
    quantised_epochs: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        exclude_if=lambda epochs: epochs is None,
        description="of the quantised network; null: as many as epochs",
    )
