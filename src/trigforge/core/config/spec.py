"""The whole spec, of a network that is trained here or of an imported one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from trigforge.core.config.hardware import Acceptance, Budget, Hardware
from trigforge.core.config.links import Links
from trigforge.core.config.network import Conv2dNetwork, NetworkSpec, Quantization, Training
from trigforge.core.config.sample import SampleSpec, TopImages
from trigforge.core.config.section import FileName, FormatText, Name, Section
from trigforge.core.fixed_point import FixedPointFormat, Overflow, parse_format


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
