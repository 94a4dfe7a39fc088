"""The whole spec, of a network that is trained here or of an imported one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from trigforge.core.config.hardware import Acceptance, Budget, Hardware
from trigforge.core.config.links import Links
from trigforge.core.config.network import (
    AnomalyNetwork,
    ConvolutionalNetwork,
    ConvolutionBlock,
    DenseAutoencoder,
    NetworkSpec,
    Quantization,
    Training,
)
from trigforge.core.config.sample import CrossingSample, ImageSample, SampleSpec, TriggerObjects
from trigforge.core.config.section import FileName, FormatText, Name, Section
from trigforge.core.config.trigger import Trigger
from trigforge.core.fixed_point import FixedPointFormat, Overflow, parse_format

OBJECT_BITS = 13
"""Width of the signed integers that hold every number of a trigger object."""


class Spec(Section):
    """A trigger network from sample to firmware."""

    spec_version: Literal[1] = Field(description="of the form of this file")
    name: Name
    sample: SampleSpec
    network: NetworkSpec
    quantization: Quantization
    training: Training
    hardware: Hardware
    budget: Budget
    acceptance: Acceptance
    trigger: Trigger | None = Field(default=None, description="null: no rates and efficiencies")
    links: Links | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> Spec:
        link = self.quantization.parsed("link_format")
        if isinstance(self.sample, ImageSample):
            _check_images(self.sample, link)
            if isinstance(self.network, ConvolutionalNetwork):
                _check_shapes(self.network, self.sample.image_shape)
        else:
            self._check_features(self.sample.kind)
        if isinstance(self.sample, TriggerObjects):
            _check_objects(link)
        self._check_task()
        _check_layers(self.quantization, self.network.layer_names)
        _check_io_types(self.hardware, self.acceptance)
        one_output = len(self.sample.class_names) == 2 or isinstance(self.network, AnomalyNetwork)
        _check_trigger(self, self.sample.class_names, one_output=one_output)
        return self

    def _check_task(self) -> None:
        """Classifiers learn from labelled jets, anomaly detectors from zero-bias crossings."""
        detects = isinstance(self.network, AnomalyNetwork)
        if detects is not isinstance(self.sample, CrossingSample):
            needed = (
                "crossings (calorimeter_regions, trigger_objects)"
                if detects
                else "labelled jets (jets_hlf, top_images)"
            )
            msg = (
                f"network.architecture: {self.network.architecture} is trained on {needed}, not "
                f"on {self.sample.kind}"
            )
            raise ValueError(msg)
        if isinstance(self.network, DenseAutoencoder) and self.quantization.input_format is None:
            msg = "quantization.input_format: a dense_autoencoder takes its errors in this format"
            raise ValueError(msg)
        if isinstance(self.network, DenseAutoencoder) and self.training.initial_weights == "float":
            msg = "training.initial_weights: a dense_autoencoder starts from random ones"
            raise ValueError(msg)
        if detects and self.acceptance.accuracy_loss is not None:
            msg = "acceptance.accuracy_loss: an anomaly score has no accuracy; limit auc_loss"
            raise ValueError(msg)

    def _check_features(self, kind: str) -> None:
        if isinstance(self.network, ConvolutionalNetwork):
            n_features = {"jets_hlf": 16, "trigger_objects": 57}[kind]
            msg = (
                f"network.architecture: {self.network.architecture} needs images; {kind} has "
                f"{n_features} features, use dense"
            )
            raise ValueError(msg)
        if self.quantization.input_format is None:
            msg = f"quantization.input_format: {kind} features are standardised in the model"
            raise ValueError(msg)


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
    seed: int = Field(ge=0, description="of random inputs")
    class_names: tuple[str, ...] = Field(
        default=(), description="of the outputs; two for one output, the second the signal"
    )

    def parsed_link(self) -> FixedPointFormat:
        """Return the link's format as a value."""
        return parse_format(self.link_format)


class ImportedSpec(Section):
    """A trigger network that was trained elsewhere, from its file to firmware."""

    spec_version: Literal[1] = Field(description="of the form of this file")
    name: Name
    model: ImportedModel
    inputs: ImportedInputs
    hardware: Hardware
    budget: Budget
    acceptance: Acceptance
    trigger: Trigger | None = Field(default=None, description="null: no rates and efficiencies")
    links: Links | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> ImportedSpec:
        _check_io_types(self.hardware, self.acceptance)
        _check_trigger(self, self.inputs.class_names, one_output=False)
        if self.inputs.parsed_link().overflow is not Overflow.WRAP:
            msg = "inputs.link_format: write it without modes: bits on a link know none"
            raise ValueError(msg)
        return self


AnySpec = Spec | ImportedSpec


def _check_io_types(hardware: Hardware, acceptance: Acceptance) -> None:
    if hardware.io_type not in acceptance.io_types:
        msg = f"acceptance.io_types: must contain hardware.io_type {hardware.io_type}"
        raise ValueError(msg)


def _check_trigger(
    spec: Spec | ImportedSpec, class_names: tuple[str, ...], *, one_output: bool
) -> None:
    if spec.trigger is not None:
        spec.trigger.check_names(class_names, one_output=one_output)
    elif spec.acceptance.efficiency_loss is not None:
        msg = "acceptance.efficiency_loss: it is taken at trigger.rate_khz; there is no trigger"
        raise ValueError(msg)


def _check_images(sample: ImageSample, link: FixedPointFormat) -> None:
    if link.signed or link.width != sample.pixel_bits or link.overflow is not Overflow.WRAP:
        msg = (
            f"quantization.link_format: {link} cannot carry {sample.pixel_bits}-bit unsigned "
            f"pixels; write ufixed<{sample.pixel_bits},...>"
        )
        raise ValueError(msg)


def _check_layers(quantization: Quantization, names: tuple[str, ...]) -> None:
    unknown = sorted(set(quantization.layers) - set(names))
    if unknown:
        msg = f"quantization.layers: no layer {', '.join(unknown)}; there are {', '.join(names)}"
        raise ValueError(msg)
    last = quantization.layers.get(names[-1])
    if last is not None and last.activation_format is not None:
        msg = f"quantization.layers.{names[-1]}.activation_format: it ends without a ReLU"
        raise ValueError(msg)


def _check_objects(link: FixedPointFormat) -> None:
    if not link.signed or link.width < OBJECT_BITS or link.overflow is not Overflow.WRAP:
        msg = (
            f"quantization.link_format: {link} cannot carry the integers of trigger objects, "
            f"-225 to 4095; write fixed<{OBJECT_BITS},...>"
        )
        raise ValueError(msg)


def _check_shapes(network: ConvolutionalNetwork, image_shape: tuple[int, int]) -> None:
    """Follow the image through the blocks; every map must keep at least one pixel."""
    sides = image_shape
    for index, block in enumerate(network.blocks):
        before = sides
        rows, columns = (_side_after(block, side) for side in before)
        if min(rows, columns) < 1:
            msg = (
                f"network.blocks.{index}: a {before[0]}x{before[1]} map is too small for kernel "
                f"{block.kernel} ({block.padding}), stride {block.stride}, pool {block.pool}"
            )
            raise ValueError(msg)
        sides = rows, columns


def _side_after(block: ConvolutionBlock, side: int) -> int:
    """Return what a block with its pooling leaves of one side of a map, at least 0."""
    if block.padding == "same":
        side = -(-side // block.stride)
    else:
        side = (side - block.kernel) // block.stride + 1 if side >= block.kernel else 0
    return side // block.pool
