"""The parts of ``report.json`` on the network, its formats, and what it is built for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from trigforge.core.fixed_point import FixedPointFormat, parse_format
from trigforge.core.health import TensorHealth, TensorKind
from trigforge.report.entry import Count, Entry
from trigforge.report.health import remarks, short
from trigforge.vendor import devices

if TYPE_CHECKING:
    from trigforge.core.config import Budget, Hardware
    from trigforge.core.sketch import Sketch


class NodeEntry(Entry):
    """A node of the network and the tensor it gives."""

    name: str
    kind: str = Field(description="Dense, Conv, Pool maximum, ...")
    inputs: tuple[str, ...] = Field(description="names of the nodes it reads")
    shape: tuple[Count, ...]
    format: str = Field(description="of each element: ufixed<6,2,RND_CONV,SAT>")
    n_weights: Count = Field(description="weights, biases and scales; no entries of tables")
    n_zero_weights: Count
    n_multiplications: Count = Field(description="an event; those with a zero left out")
    n_products: Count = Field(description="an event; those with a zero among them")


class NetworkEntry(Entry):
    """The network as it is computed, node by node, in an order in which it can be."""

    nodes: tuple[NodeEntry, ...]


class RemarkEntry(Entry):
    """One thing to know of a tensor, in words."""

    severity: Literal["wrong", "limited", "spare"] = Field(
        description="a value came out wrong; was held at an end of its range; nothing is lost"
    )
    text: str


class TensorEntry(Entry):
    """How one tensor used its format; what is raw is an integer of that format."""

    name: str
    kind: Literal["input", "activation", "weights", "bias", "table"]
    format: str
    shape: tuple[Count, ...]
    n_values: Count
    n_zeros: Count
    minimum: int = Field(description="raw")
    maximum: int = Field(description="raw")
    n_overflows: Count = Field(description="results wrapped or saturated, as the format says")
    reach: tuple[int, int] = Field(description="results before that, lowest and highest, raw")
    accumulator: str | None = Field(description="format of the sums; null: it has none")
    n_accumulator_overflows: Count
    accumulator_reach: tuple[int, int] = Field(description="raw, of the accumulator's format")
    unused_high_bits: Count
    unused_low_bits: Count
    dead: tuple[Count, ...] = Field(description="elements that had one value in all events")
    magnitudes: tuple[float, ...] = Field(
        description="minimum, quartiles and maximum of what is not zero, raw; []: all is zero"
    )
    remarks: tuple[RemarkEntry, ...]

    def record(self) -> TensorHealth:
        """Return the record this was made from."""
        fields = {name: getattr(self, name) for name in TensorHealth.__dataclass_fields__}
        fields["kind"] = TensorKind(self.kind)
        fields["format"] = parse_format(self.format)
        fields["accumulator"] = None if self.accumulator is None else parse_format(self.accumulator)
        return TensorHealth(**fields)


class HealthEntry(Entry):
    """How every tensor used its format over the first held-out events."""

    n_events: Count
    tensors: tuple[TensorEntry, ...]


class Amounts(Entry):
    """What a part holds."""

    lut: Count
    ff: Count
    dsp: Count
    bram_18k: Count
    uram: Count


class TargetEntry(Entry):
    """What the firmware is built for and what the trigger allows."""

    part: str
    family: str = Field(description="as the vendor sells it")
    clock_mhz: float
    implementation: str = Field(description="what the spec asks for: hls, da, timemux, auto")
    io_type: str
    holds: Amounts
    interval_crossings: Count = Field(description="a new event every so many bunch crossings")
    latency_ns: float = Field(description="allowed")
    lut_share: float = Field(description="allowed share of the part, as the following")
    ff_share: float
    dsp_share: float
    bram_share: float = Field(description="of block RAM and of URAM")


def network(sketch: Sketch | None) -> NetworkEntry | None:
    """Return the entry of a network."""
    if sketch is None:
        return None
    return NetworkEntry(nodes=tuple(NodeEntry(**_fields(node)) for node in sketch.nodes))


def health(tensors: tuple[TensorHealth, ...]) -> HealthEntry | None:
    """Return the entry of the use of the formats; None if nothing was seen."""
    if not tensors:
        return None
    seen = next((entry for entry in tensors if not entry.constant), None)
    n_events = 0 if seen is None else seen.n_values // max(1, seen.n_elements)
    return HealthEntry(n_events=n_events, tensors=tuple(_tensor(entry) for entry in tensors))


def target(hardware: Hardware, budget: Budget) -> TargetEntry:
    """Return what a spec says of part, clock and budget.

    Raises:
        SpecError: if the part is unknown.
    """
    device = devices.find(hardware.part)
    return TargetEntry(
        part=hardware.part,
        family=device.family,
        clock_mhz=hardware.clock_mhz,
        implementation=hardware.implementation,
        io_type=hardware.io_type,
        holds=Amounts(**{name: getattr(device, name) for name in Amounts.model_fields}),
        interval_crossings=budget.interval_crossings,
        latency_ns=budget.latency_ns,
        lut_share=budget.lut_share,
        ff_share=budget.ff_share,
        dsp_share=budget.dsp_share,
        bram_share=budget.bram_share,
    )


def _tensor(tensor: TensorHealth) -> TensorEntry:
    return TensorEntry(
        **{
            **_fields(tensor),
            "kind": tensor.kind.value,
            "format": short(tensor.format),
            "accumulator": _written(tensor.accumulator),
            "remarks": tuple(
                RemarkEntry(severity=remark.severity.value, text=remark.text)
                for remark in remarks(tensor)
            ),
        }
    )


def _written(fmt: FixedPointFormat | None) -> str | None:
    return None if fmt is None else short(fmt)


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
