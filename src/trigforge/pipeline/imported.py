"""A model of somebody else's as a source: opened from its file, tried on its own events."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge import comparison, physics
from trigforge.conversion import exactness, importing
from trigforge.core import yaml_file
from trigforge.core.config import ImportedSpec
from trigforge.core.errors import ConversionError, InputError, SpecError
from trigforge.core.fixed_point import to_values
from trigforge.core.link import LinkEncoding, encoding_of_values
from trigforge.core.store import file_digest
from trigforge.frontends import ImportedModel, open_model
from trigforge.frontends.keras_model import KerasModel
from trigforge.networks import reference
from trigforge.pipeline.source import (
    IMAGE_SUM,
    Labelled,
    encoded,
    image_sums,
    rounding_warnings,
)
from trigforge.samples.tables import reading

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from trigforge.conversion.convert import Conversion
    from trigforge.core.config import Hardware
    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.records import Distance, Metrics, Port, Progress, RawTensor, Stimulus
    from trigforge.core.traces import Original
    from trigforge.pipeline.job import Job

SMALLEST_PROBABILITY = 2.0**-20
"""In place of a probability of zero, whose logarithm is none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ImportedSource:
    """A model from a file with its formats, and the events it is tried on."""

    spec: ImportedSpec
    model: ImportedModel
    formats: dict[str, Any]
    values: NDArray[np.float64]
    """``(n_events, n_inputs)``, as the user has them."""
    labels: NDArray[np.int64] | None
    origin: str
    digests: dict[str, str]

    @property
    def n_train(self) -> int:
        """Nobody knows."""
        return 0

    @property
    def encoding(self) -> LinkEncoding:
        """The link carries the values themselves, to its lowest bit."""
        return encoding_of_values(self.spec.inputs.parsed_link())

    @property
    def output_names(self) -> tuple[str, ...]:
        """Name the outputs as the classes, or by number."""
        names = self.spec.inputs.class_names
        if self.model.n_outputs == 1 and len(names) == 2:
            return names[1:]
        return names or tuple(f"output_{i}" for i in range(self.model.n_outputs))

    def description(self) -> Any:
        """Describe the model by its files' digests."""
        return [self.digests, self.spec.model.end_in_logits, str(self.encoding.format)]

    def stimulus(self) -> Stimulus:
        """Return the events on the link's grid, and the grid's corners."""
        return comparison.make_stimulus(
            encoded(self.encoding, self.values), seed=self.spec.inputs.seed
        )

    def convert(self, name: str, hardware: Hardware) -> Conversion:
        """Convert the model with the formats of its configuration."""
        link = self.encoding.format
        return importing.convert(self.model.network, name, link, self.formats, hardware)

    def exact(self, inputs: RawTensor, output: Port, progress: Progress) -> RawTensor | None:
        """Return what a QKeras network gives if every layer of it is exact."""
        if not self.is_exact:
            return None
        try:
            return reference.evaluate(self.model.network, inputs, output, progress=progress)
        except InputError:  # its results do not lie on the output's grid: diagnosis says why
            return None

    @cached_property
    def is_exact(self) -> bool:
        """It is a QKeras network whose every layer is exact in firmware."""
        if not isinstance(self.model, KerasModel) or not self.model.quantised:
            return False
        try:
            exactness.check(self.model.network, self.spec.hardware)
        except ConversionError:
            return False
        return True

    def measure(self, outputs: RawTensor) -> tuple[Metrics, Metrics] | None:
        """Measure the original and the firmware on the labelled events."""
        labels, names = self.labels, self.spec.inputs.class_names
        if labels is None or not names:
            return None
        original = self.original
        firmware = self._decoded(outputs)[: len(labels)]
        probabilities = are_probabilities(original)
        efficiency = self.spec.acceptance.signal_efficiency
        return (
            physics.measure(as_logits(original, probabilities), labels, names, efficiency),
            physics.measure(as_logits(firmware, probabilities), labels, names, efficiency),
        )

    def labelled(self) -> Labelled | None:
        """Return the labelled events; inputs are named input_0 and so on, but for images."""
        names, values = self.spec.inputs.class_names, self.values
        if self.labels is None or not names:
            return None
        variables: tuple[tuple[str, NDArray[Any]], ...]
        if len(self.model.input_shape) > 1:
            variables = ((IMAGE_SUM, image_sums(values)),)
        else:
            variables = tuple((f"input_{index}", value) for index, value in enumerate(values.T))
        return Labelled(
            class_names=names,
            labels=self.labels,
            float_outputs=None if self.is_exact else self.original,
            variables=variables,
        )

    @cached_property
    def original(self) -> NDArray[np.float64]:
        """What the original gives for the values that the link carries."""
        held_out = encoded(self.encoding, self.values)
        return self.model.predict(to_values(held_out.raw, held_out.format))

    def _decoded(self, outputs: RawTensor) -> NDArray[np.float64]:
        """Return the values of raw outputs; one bit stands for -1 or 1."""
        values = to_values(outputs.raw, outputs.format)
        one_bit = (outputs.format.signed, outputs.format.width) == (False, 1)
        return 2 * values - 1 if one_bit and outputs.format.integer_bits == 1 else values

    def distance(self, outputs: RawTensor) -> Distance:
        """Say how far the firmware is from the original on the events (corners left out)."""
        firmware = self._decoded(outputs)[: len(self.values)]
        return physics.distance(self.model.what, self.original, firmware)

    def trace(self, n_events: int, nodes: Collection[str]) -> tuple[Original, RawTensor]:
        """Return what each layer of the original gives for the events as the user has them."""
        values = self.values[:n_events]
        return self.model.trace(values, nodes), encoded(self.encoding, values)

    def place(self, path: str) -> str:
        """Return the file and key that decide a format."""
        source = importing.input_name(self.model.network)
        if path == f"LayerName.{source}.Precision.result":
            return "inputs.link_format of the spec"
        return f"{self.spec.model.formats}: {path}"

    def warnings(self, inputs: RawTensor, exact: RawTensor | None) -> tuple[str, ...]:
        """Say which inputs the link changes, and where Keras itself rounds."""
        lines = list(off_grid(self.values, self.encoding.format))
        if self.spec.inputs.file is None:
            lines.append("the events are random numbers: give --inputs for figures that mean much")
        if exact is None and self.is_exact:
            lines.append(
                "the QKeras model's exact results do not lie on the output's grid; "
                "`trigforge diagnose` says where"
            )
        return (*lines, *rounding_warnings(self.model.network, inputs, exact))

    def provenance(self) -> dict[str, str]:
        """Name the model's files by their digests."""
        return {
            "model": self.model.what,
            **{f"{name}_digest": digest for name, digest in self.digests.items()},
            "input_seed": str(self.spec.inputs.seed),
        }


def open_imported(job: Job, spec: ImportedSpec, events: Path | None) -> ImportedSource:
    """Open the files that an imported spec names; ``events`` are taken instead of its own.

    Raises:
        InputError: if a file is missing or not what it should be.
        SpecError: if the formats are no hls4ml configuration.
    """
    folder = job.workspace.model.parent
    files = {"model": folder / spec.model.file, "formats": folder / spec.model.formats}
    if spec.model.weights is not None:
        files["weights"] = folder / spec.model.weights
    with job.stage("model"):
        model = open_model(files["model"], files.get("weights"))
        if spec.model.end_in_logits:
            model = model.ending_in_logits()
        formats = read_formats(files["formats"])
    with job.stage("samples"):
        own = None if spec.inputs.file is None else folder / spec.inputs.file
        values, labels, origin = read_events(events or own, spec, model.input_shape)
    return ImportedSource(
        spec=spec,
        model=model,
        formats=formats,
        values=values,
        labels=labels,
        origin=origin,
        digests={name: file_digest(path) for name, path in files.items()},
    )


def read_formats(path: Path) -> dict[str, Any]:
    """Read an hls4ml configuration without what stands beside ``HLSConfig``.

    Raises:
        SpecError: if it is no YAML, or has nothing that hls4ml reads.
    """
    return read_configuration(path)[1]


def read_configuration(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read an hls4ml configuration: all of it, and what of it decides formats.

    Raises:
        SpecError: if it is no YAML, or has nothing that hls4ml reads.
    """
    content = yaml_file.read(path, what="the hls4ml configuration")
    formats = content.get("HLSConfig", content) if isinstance(content, dict) else content
    if not isinstance(formats, dict) or "Model" not in formats:
        msg = f"{path}: no hls4ml configuration: it needs HLSConfig, or Model and LayerName"
        raise SpecError(msg)
    problem = next(importing.problems(formats), None)
    if problem is not None:
        msg = f"{path}: {problem}"
        raise SpecError(msg)
    return content, formats


def read_events(
    path: Path | None, spec: ImportedSpec, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None, str]:
    """Return values ``(n_events, n_inputs)``, labels if there are any, and their origin."""
    wanted, n_inputs = spec.inputs, int(np.prod(shape))
    if path is None:
        values = random_events(wanted.n_events, n_inputs, wanted.seed)
        return values, None, f"random numbers (normal, spread 1), seed {wanted.seed}"
    table = reading.read(path, shape)
    x = table.x[: wanted.n_events].reshape(-1, n_inputs).astype(np.float64)
    y = None if table.y is None else table.y[: wanted.n_events]
    return x, y, f"{path}, {len(x)} of {len(table.x)} events"


def random_events(n_events: int, n_inputs: int, seed: int) -> NDArray[np.float64]:
    """Return events ``(n_events, n_inputs)`` as standardised inputs are spread."""
    return np.random.default_rng(seed).normal(size=(n_events, n_inputs))


def off_grid(values: NDArray[np.float64], link: FixedPointFormat) -> tuple[str, ...]:
    """Say how many inputs the link saturates or rounds."""
    low, high = link.raw_min * link.lsb, link.raw_max * link.lsb
    outside = int(((values < low) | (values > high)).sum())
    lines = []
    if outside:
        lines.append(
            f"{outside} of {values.size} inputs lie outside {link} ({low:g} to {high:g}) and "
            f"saturate; they reach from {values.min():g} to {values.max():g}"
        )
    scaled = np.ldexp(values, link.fractional_bits)
    rounded = int((scaled != np.rint(scaled)).sum())
    if rounded:
        lines.append(f"{rounded} of {values.size} inputs are rounded to the steps of {link}")
    return tuple(lines)


def are_probabilities(outputs: NDArray[np.float64]) -> bool:
    """Tell whether outputs are probabilities: of classes that sum to 1, or of a signal."""
    inside = bool(((outputs >= 0) & (outputs <= 1)).all())
    return inside and (outputs.shape[1] == 1 or np.allclose(outputs.sum(axis=1), 1, atol=1e-3))


def as_logits(outputs: NDArray[np.float64], probabilities: bool) -> NDArray[np.float64]:
    """Return numbers that order events as the outputs do and whose softmax gives them back."""
    if not probabilities:
        return outputs
    if outputs.shape[1] == 1:
        return outputs - 0.5
    return np.log(np.maximum(outputs, SMALLEST_PROBABILITY))
