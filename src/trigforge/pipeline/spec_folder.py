"""What an import writes: a spec, and a folder with model, formats, events and a record."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import TypeAdapter

from trigforge import __version__
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.formats import Calibration
from trigforge.samples.tables.content import Selection

if TYPE_CHECKING:
    from trigforge.core.config import Hardware, IoType
    from trigforge.frontends import ImportedModel

N_PROFILED = 1000
"""Events that candidate formats are tried on."""
N_RANDOM = 1000
DEFAULT_LINK = "fixed<16,6>"
"""What hls4ml takes where nobody says anything."""
QUANTILE = 0.99
"""Share of the outputs that must keep within the tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What is taken in, where it goes, and what its formats may lose.

    ``tolerance`` is the share of the outputs' range that 99 % of the outputs may deviate by;
    ``auc_loss``, if given, takes its place where the events have labels. ``margin`` widens
    the ranges seen.
    """

    model: Path
    out: Path
    weights: Path | None = None
    hls_config: Path | None = None
    inputs: Path | None = None
    selection: Selection = Selection()  # noqa: RUF009 - frozen
    name: str | None = None
    part: str = "xcvu13p-flga2577-2-e"
    clock_mhz: float = 320.0
    tolerance: float = 0.01
    auc_loss: float | None = None
    margin: float = 1.25
    n_events: int = 5000
    seed: int = 1
    end_in_logits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Events:
    """Events to profile on, and how to say where they come from."""

    x: NDArray[Any]
    y: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    given: bool

    @property
    def values(self) -> NDArray[np.float64]:
        """The events, flat."""
        return self.x.reshape(len(self.x), -1).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Formats, and where they come from."""

    link: FixedPointFormat
    configuration: dict[str, Any]
    origin: str
    calibration: Calibration | None = None


def files(
    request: ImportRequest, model: ImportedModel, found: Found, events: Events
) -> dict[str, bytes]:
    """Return what lies beside the spec: model, formats, events, and the record of the import."""
    content = {f"model{request.model.suffix.lower()}": request.model.read_bytes()}
    if request.weights is not None:
        content["weights.h5"] = request.weights.read_bytes()
    content["formats.yaml"] = _formats_text(found).encode()
    if events.given:
        stream = io.BytesIO()
        arrays: dict[str, Any] = {"x": events.x}
        if events.y is not None:
            arrays["y"] = events.y
        np.savez_compressed(stream, **arrays)
        content["inputs.npz"] = stream.getvalue()
    record = {
        "trigforge": __version__,
        "model": model.what,
        "file": request.model.name,
        "formats_from": found.origin,
        "link_format": str(found.link),
        "calibration": json.loads(TypeAdapter(Any).dump_json(found.calibration, fallback=str)),
    }
    content["import.json"] = (json.dumps(record, indent=1) + "\n").encode()
    return content


def _formats_text(found: Found) -> str:
    """Return the hls4ml configuration as YAML, with what is to be known of it on top."""
    lines = [f"# Formats of every tensor, from {found.origin}; hls4ml's own syntax, yours to edit."]
    if found.calibration is not None:
        lines.append(
            f"# {found.calibration.measure}: {found.calibration.loss:.3g} "
            f"(allowed {found.calibration.tolerance:g}) on {found.calibration.n_events} events; "
            f"ranges widened by {found.calibration.margin:g}."
        )
    lines.append("# The format of the input is inputs.link_format of the spec.")
    return "\n".join(lines) + "\n" + yaml.safe_dump(found.configuration, sort_keys=False, width=100)


def spec(  # noqa: PLR0913, PLR0917 - what a spec consists of
    request: ImportRequest,
    found: Found,
    hardware: Hardware,
    events: Events,
    io_types: tuple[IoType, ...],
    name: str,
) -> dict[str, Any]:
    """Return the spec; the shares are those up to which designs meet timing (FINN's limits)."""
    return {
        "spec_version": 1,
        "name": name,
        "model": {
            "file": f"{name}/model{request.model.suffix.lower()}",
            "weights": None if request.weights is None else f"{name}/weights.h5",
            "formats": f"{name}/formats.yaml",
            "end_in_logits": request.end_in_logits,
        },
        "inputs": {
            "file": f"{name}/inputs.npz" if events.given else None,
            "n_events": request.n_events if events.given else N_RANDOM,
            "link_format": str(found.link).removeprefix("ap_"),
            "seed": request.seed,
            "class_names": list(events.class_names),
        },
        "hardware": hardware.model_dump(mode="json"),
        "budget": {
            "interval_crossings": 1,
            "latency_ns": 1000,
            "lut_share": 0.7,
            "ff_share": 0.5,
            "dsp_share": 0.8,
            "bram_share": 0.8,
        },
        "acceptance": {"io_types": list(io_types), "signal_efficiency": 0.5},
    }
