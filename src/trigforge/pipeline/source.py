"""Where a network comes from: what the pipeline asks of it, whoever trained it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trigforge import comparison, physics, training
from trigforge.conversion import convert
from trigforge.core.config import AnomalyNetwork, ImportedSpec, Spec
from trigforge.core.fixed_point import to_values
from trigforge.core.records import RawTensor, Sample
from trigforge.networks import reference, tracing
from trigforge.training import TrainedNetworks

if TYPE_CHECKING:
    from collections.abc import Collection

    from trigforge.conversion.convert import Conversion
    from trigforge.core.config import AnySpec, Hardware
    from trigforge.core.link import LinkEncoding
    from trigforge.core.records import Distance, Metrics, Port, Progress, Stimulus
    from trigforge.core.traces import Original


IMAGE_SUM = "image_sum"
"""The sum of an image's pixels, as a variable of turn-on curves."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """The held-out events as physicists see them, in the order of the stimulus.

    ``labels`` are indices of ``class_names``; ``float_outputs`` ``(n_events, n_outputs)`` is
    what the network gave before it was quantised, None if it never was a float one.
    ``variables`` are names and ``(n_events,)`` of what is known of each event.
    """

    class_names: tuple[str, ...]
    labels: NDArray[np.int64]
    float_outputs: NDArray[Any] | None
    variables: tuple[tuple[str, NDArray[Any]], ...]


class Source(Protocol):
    """A network before its conversion, and the events it is tried on."""

    @property
    def origin(self) -> str:
        """Say in words where the events come from."""

    @property
    def n_train(self) -> int:
        """Events it was trained on, 0 if nobody knows."""

    @property
    def encoding(self) -> LinkEncoding:
        """How the link carries an event."""

    @property
    def output_names(self) -> tuple[str, ...]:
        """A name for each output."""

    def description(self) -> Any:
        """Describe as JSON all that decides the arithmetic."""

    def stimulus(self) -> Stimulus:
        """Return the events on the link's grid, and the grid's corners."""

    def convert(self, name: str, hardware: Hardware) -> Conversion:
        """Convert it with hls4ml."""

    def exact(self, inputs: RawTensor, output: Port, progress: Progress) -> RawTensor | None:
        """Return what the model itself gives, exactly; None if its arithmetic is not exact."""

    def measure(self, outputs: RawTensor) -> tuple[Metrics, Metrics] | None:
        """Measure the original and the firmware on the labelled events; None without labels."""

    def labelled(self) -> Labelled | None:
        """Return what rates and efficiencies are measured on; None without labels."""

    def distance(self, outputs: RawTensor) -> Distance | None:
        """Say how far the firmware is from the original, where that is another arithmetic."""

    def trace(self, n_events: int, nodes: Collection[str]) -> tuple[Original, RawTensor]:
        """Return what each layer gives for the first events, and those events on the link.

        ``nodes`` are the names of the graph's nodes.
        """

    def place(self, path: str) -> str:
        """Return where a line of hls4ml's configuration is written for this network."""

    def warnings(self, inputs: RawTensor, exact: RawTensor | None) -> tuple[str, ...]:
        """Say what a user should know of the model."""

    def provenance(self) -> dict[str, str]:
        """Name what it was made from."""


@dataclass(frozen=True, kw_only=True)
class TrainedSource:
    """The networks that a spec describes and trigforge trained, and their sample."""

    spec: Spec
    sample: Sample
    origin: str
    networks: TrainedNetworks

    @property
    def n_train(self) -> int:
        """Events the networks were trained on."""
        return int(self.networks.provenance["n_train"])

    @property
    def encoding(self) -> LinkEncoding:
        """How the link carries an event."""
        return self.networks.encoding

    @property
    def output_names(self) -> tuple[str, ...]:
        """Name the logits; a single one is that of the signal, or a score."""
        if isinstance(self.spec.network, AnomalyNetwork):
            return ("score",)
        names = self.sample.class_names
        return names[1:] if len(names) == 2 else names

    def description(self) -> Any:
        """Describe network, quantisation and weights."""
        return [
            self.spec.network.model_dump(mode="json"),
            self.spec.quantization.model_dump(mode="json"),
            training.quantised_weights_digest(self.networks),
        ]

    def stimulus(self) -> Stimulus:
        """Return the whole held-out sample on the link's grid, and the grid's corners."""
        held_out = encoded(self.encoding, self.sample.x_test)
        return comparison.make_stimulus(held_out, seed=self.spec.training.seed)

    def convert(self, name: str, hardware: Hardware) -> Conversion:
        """Convert the quantised network."""
        model = self.networks.quantised_model
        return convert.convert(model, name, self.encoding.format, hardware)

    def exact(self, inputs: RawTensor, output: Port, progress: Progress) -> RawTensor:
        """Return what the QKeras network gives."""
        return reference.evaluate(self.networks.quantised_model, inputs, output, progress=progress)

    def measure(self, outputs: RawTensor) -> tuple[Metrics, Metrics]:
        """Measure the float and the quantised network on the same held-out events."""
        n_events = len(self.sample.x_test)
        return (
            self._metrics(self.float_outputs),
            self._metrics(to_values(outputs.raw[:n_events], outputs.format)),
        )

    @cached_property
    def float_outputs(self) -> NDArray[Any]:
        """What the float network gives for the held-out events."""
        x = self.sample.x_test.astype("float32")
        return np.asarray(self.networks.float_model.predict(x, batch_size=1024, verbose=0))

    def labelled(self) -> Labelled:
        """Return the held-out sample; of an image the sum of its pixels is known, too."""
        sample = self.sample
        known = [] if sample.variables_test is None else [*sample.variables_test.T]
        if sample.x_test.ndim == 2:
            features = [*zip(sample.feature_names, sample.x_test.T, strict=True)]
        else:
            features = [(IMAGE_SUM, image_sums(sample.x_test))]
        return Labelled(
            class_names=sample.class_names,
            labels=sample.y_test,
            float_outputs=self.float_outputs,
            variables=(*zip(sample.variable_names, known, strict=True), *features),
        )

    def _metrics(self, logits: NDArray[np.float64]) -> Metrics:
        efficiency = self.spec.acceptance.signal_efficiency
        return physics.measure(logits, self.sample.y_test, self.sample.class_names, efficiency)

    def distance(self, outputs: RawTensor) -> None:
        """The firmware computes the network itself: there is no distance."""
        del outputs

    def trace(self, n_events: int, nodes: Collection[str]) -> tuple[Original, RawTensor]:
        """Return what each layer of the quantised network gives, corners of the grid included."""
        del nodes
        inputs = comparison.project_vectors(self.stimulus(), n_events)
        values = to_values(inputs.raw, inputs.format)
        return tracing.trace(self.networks.quantised_model, values), inputs

    def place(self, path: str) -> str:
        """Return the key of the spec that decides a format; one may serve all layers."""
        by_layer = {"inputs": "link_format", "standardised": "input_format"}
        match path.split("."):
            case ["LayerName", layer, "Precision", ("weight" | "bias") as role]:
                key = f"{role}_format"
            case ["LayerName", layer, "Precision", "result"]:
                key = by_layer.get(layer, "activation_format")
                layer = layer.removesuffix("_relu")
            case _:
                return path
        own = getattr(self.spec.quantization.layers.get(layer), key, None)
        return f"quantization.{key if own is None else f'layers.{layer}.{key}'} of the spec"

    def warnings(self, inputs: RawTensor, exact: RawTensor | None) -> tuple[str, ...]:
        """Say where Keras' own inference rounds."""
        return rounding_warnings(self.networks.quantised_model, inputs, exact)

    def provenance(self) -> dict[str, str]:
        """Name sample, training and weights."""
        return {
            "sample_digest": self.sample.digest,
            "training_key": self.networks.key,
            "weights_digest": training.quantised_weights_digest(self.networks),
            "sample_seed": str(self.spec.sample.seed),
            "training_seed": str(self.spec.training.seed),
        }


def class_names_of(spec: AnySpec) -> tuple[str, ...]:
    """Name the classes of a spec's events, in the order of their labels."""
    return spec.inputs.class_names if isinstance(spec, ImportedSpec) else spec.sample.class_names


def image_sums(images: NDArray[Any]) -> NDArray[np.float64]:
    """Return the sum of each image's pixels, in the units of the link."""
    return np.asarray(images.reshape(len(images), -1).sum(axis=1, dtype=np.float64))


def encoded(encoding: LinkEncoding, values: NDArray[Any]) -> RawTensor:
    """Return events ``(n_events, ...)`` as the raw integers of the link."""
    raw = encoding.encode(values).reshape(len(values), -1)
    return RawTensor(format=encoding.format, raw=raw)


def rounding_warnings(model: Any, inputs: RawTensor, exact: RawTensor | None) -> tuple[str, ...]:
    """Say on how many events Keras' float32 inference leaves the exact result."""
    if exact is None:
        return ()
    rounded = reference.n_rounded_in_float32(model, inputs, exact)
    if not rounded:
        return ()
    line = (
        f"Keras' float32 inference of the quantised network differs from the exact result "
        f"on {rounded} of {len(exact.raw)} events; the firmware follows the exact one"
    )
    return (line,)
