"""The spec's ``network``, ``quantization`` and ``training`` sections."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from trigforge.core.config.section import FormatText, Fraction, Section
from trigforge.core.fixed_point import FixedPointFormat, parse_format


def _is_unsigned(text: str) -> str:
    fmt = parse_format(text)
    if fmt.signed or not fmt.has_default_modes:
        msg = f"{text}: write ufixed<..> without modes: it follows a ReLU that rounds and saturates"
        raise ValueError(msg)
    return text


UnsignedText = Annotated[FormatText, AfterValidator(_is_unsigned)]


class DenseNetwork(Section):
    """Fully connected layers with ReLU; the last gives one logit a class."""

    architecture: Literal["dense"]
    hidden_units: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        min_length=1, description="units of each hidden layer"
    )


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


NetworkSpec = Annotated[
    DenseNetwork | Conv2dNetwork | Conv2dStudent | DenseAutoencoder,
    Field(discriminator="architecture"),
]
AnomalyNetwork = Conv2dStudent | DenseAutoencoder
"""Networks trained on background alone, whose one output is the score."""
ConvolutionalNetwork = Conv2dNetwork | Conv2dStudent


class Quantization(Section):
    """Formats of the link, of weights and of activations.

    ``weight_format`` and ``bias_format`` are signed, ``activation_format`` is unsigned (it
    follows a ReLU); the quantisers of QKeras round to nearest even and saturate.
    """

    link_format: FormatText = Field(description="what the trigger link carries, per element")
    input_format: FormatText | None = Field(
        default=None, description="after the standardisation; null: the link's values go in as is"
    )
    weight_format: FormatText = Field(description="of all weights; signed")
    bias_format: FormatText = Field(description="of all biases; signed")
    activation_format: FormatText = Field(description="of what a ReLU gives; unsigned")

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

    seed: int = Field(ge=0, description="of initial weights and of the order of events")
    epochs: int = Field(ge=1, le=10_000, description="at most; early stopping ends sooner")
    batch_size: int = Field(ge=1, description="events between two updates of the weights")
    learning_rate: float = Field(gt=0, lt=1, description="of Adam, at the start")
    patience_epochs: int = Field(ge=1, description="epochs without improvement before stopping")
    validation_fraction: Fraction = Field(
        description="share of the training events on which early stopping decides"
    )
    sparsity: float = Field(default=0.0, ge=0, lt=1, description="share of weights pruned to zero")
