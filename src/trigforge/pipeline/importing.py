"""Take a trained model in: ``ImportRequest -> Imported``, a spec and all that it needs.

Formats come from an hls4ml configuration, if one is given; else from the model's own
quantisers; else, for a float model, from profiling it on the events.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import TypeAdapter

from trigforge import __version__, physics
from trigforge.calibration import Problem, calibrate
from trigforge.calibration.ranges import format_for, grid_bits
from trigforge.conversion import importing, lowering
from trigforge.core.config import Hardware
from trigforge.core.errors import ConversionError, InputError, SpecError
from trigforge.core.files import FileSet, fill_folder, write_file, writing_folder
from trigforge.core.fixed_point import FixedPointFormat, parse_format, to_values
from trigforge.core.formats import Calibration
from trigforge.core.records import no_progress
from trigforge.core.spec_file import parse_spec
from trigforge.core.yaml_file import read as read_yaml
from trigforge.frontends import open_model
from trigforge.pipeline.imported import are_probabilities, as_logits, random_events, read_formats
from trigforge.samples.tables import reading
from trigforge.samples.tables.content import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trigforge.core.config import IoType
    from trigforge.core.graph import FixedPointGraph
    from trigforge.core.records import Progress, RawTensor
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What was taken in: the spec, where the formats come from, and what is to be known."""

    name: str
    spec: Path
    model: str
    formats_from: str
    n_events: int
    io_types: tuple[str, ...]
    calibration: Calibration | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Events:
    """Events to profile on, and how to say where they come from."""

    x: NDArray[Any]
    y: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    given: bool

    @property
    def values(self) -> NDArray[np.float64]:
        """The events, flat."""
        return self.x.reshape(len(self.x), -1).astype(np.float64)


def take_in(request: ImportRequest, *, progress: Progress = no_progress) -> Imported:
    """Write the spec of a trained model and everything it needs into a folder.

    Raises:
        InputError: if a file is not what it should be, or the spec is there already.
        ConversionError: if the model cannot be converted.
    """
    name = request.name or spec_name(request.model)
    spec_file = request.out / f"{name}.yaml"
    if spec_file.exists() or (request.out / name).exists():
        msg = f"{spec_file} or the folder beside it is there already; name another (--name, --out)"
        raise InputError(msg)
    model = open_model(request.model, request.weights)
    if request.end_in_logits:
        model = model.ending_in_logits()
    given = (
        None
        if request.hls_config is None
        else read_yaml(request.hls_config, what="the hls4ml configuration")
    )
    hardware = _hardware(request, given)
    events = _events(request, model)
    found = _formats(request, model, hardware, events, progress)
    io_types, notes = _io_types(model, found, hardware)
    files = _files(request, model, found, events)
    spec = _spec(request, found, hardware, events, io_types, name)
    parse_spec(spec, where=str(spec_file))
    with writing_folder(request.out / name) as folder:
        fill_folder(folder, FileSet(files))
    header = f"# Written by trigforge {__version__} import; yours to edit.\n"
    write_file(spec_file, header + yaml.safe_dump(spec, sort_keys=False, width=100))
    return Imported(
        name=name,
        spec=spec_file,
        model=model.what,
        formats_from=found.origin,
        n_events=len(events.x),
        io_types=io_types,
        calibration=found.calibration,
        notes=notes,
    )


def spec_name(path: Path) -> str:
    """Return a name for the spec: the file's, in lower case, as C++ allows it."""
    name = re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_")[:40]
    return name if name[:1].isalpha() else f"model_{name}"[:40]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Formats, and where they come from."""

    link: FixedPointFormat
    configuration: dict[str, Any]
    origin: str
    calibration: Calibration | None = None


def _hardware(request: ImportRequest, given: Any) -> Hardware:
    """Return the hardware: what an hls4ml configuration says, else the request."""
    said = given if isinstance(given, dict) else {}
    model = said.get("HLSConfig", said).get("Model", {})
    model = model if isinstance(model, dict) else {}
    period = said.get("ClockPeriod")
    values = {
        "part": said.get("Part") or said.get("XilinxPart") or request.part,
        "clock_mhz": 1000 / period
        if isinstance(period, (int, float)) and period > 0
        else request.clock_mhz,
        "io_type": said.get("IOType", "io_parallel"),
        "backend": said.get("Backend", "Vitis"),
        "strategy": str(model.get("Strategy", "Latency")).capitalize(),
        "reuse_factor": model.get("ReuseFactor", 1),
    }
    try:
        return Hardware.model_validate(values)
    except ValueError as error:
        lines = "; ".join(str(error).splitlines()[1:3])
        msg = f"{request.hls_config}: its settings cannot be used: {lines}"
        raise SpecError(msg) from error


def _events(request: ImportRequest, model: ImportedModel) -> _Events:
    """Return the user's events, or random ones to convert at all."""
    if request.inputs is None:
        n_inputs = int(np.prod(model.input_shape))
        x = random_events(N_RANDOM, n_inputs, request.seed).reshape(-1, *model.input_shape)
        return _Events(x=x, y=None, class_names=(), given=False)
    selection = replace(request.selection, max_events=request.n_events)
    table = reading.read(request.inputs, model.input_shape, selection)
    names = table.class_names
    if table.y is not None and not names:
        n_classes = max(int(table.y.max()) + 1, model.n_outputs, 2)
        names = tuple(f"class_{i}" for i in range(n_classes))
    if names and len(names) not in {model.n_outputs, 2 if model.n_outputs == 1 else 0}:
        msg = f"{request.inputs}: {len(names)} classes for a model of {model.n_outputs} outputs"
        raise InputError(msg)
    return _Events(x=table.x, y=table.y, class_names=names, given=True)


def _formats(
    request: ImportRequest,
    model: ImportedModel,
    hardware: Hardware,
    events: _Events,
    progress: Progress,
) -> _Found:
    if request.hls_config is not None:
        configuration = read_formats(request.hls_config)
        return _Found(
            link=_input_format(model, configuration),
            configuration=configuration,
            origin=f"the hls4ml configuration {request.hls_config.name}",
        )
    if model.quantised:
        return _Found(
            link=_link_for(events, request.margin),
            configuration=importing.base_configuration(model.network, hardware),
            origin="the model's own quantisers",
        )
    return _calibrated(request, model, hardware, events, progress)


def _calibrated(
    request: ImportRequest,
    model: ImportedModel,
    hardware: Hardware,
    events: _Events,
    progress: Progress,
) -> _Found:
    """Profile a float model."""
    with tempfile.TemporaryDirectory(prefix="trigforge-") as name:
        folder = Path(name) / "net"
        base, tensors = importing.open_tensors(model.network, hardware, folder)

        def build(
            link: FixedPointFormat,
            formats: Mapping[tuple[str, str], FixedPointFormat],
            table_size: int | None,
        ) -> FixedPointGraph:
            config = importing.with_formats(base, formats, table_size)
            graph = importing.to_model_graph(model.network, link, config, hardware, folder)
            return lowering.lower(graph, "net")

        few = events.values[:N_PROFILED]
        labels = None if events.y is None else events.y[:N_PROFILED]
        loss, measure, tolerance = _loss(request, model.predict(few), labels, events.class_names)
        found = calibrate(
            Problem(
                build=build,
                tensors=tensors,
                events=few,
                loss=loss,
                measure=measure,
                tolerance=tolerance,
                margin=request.margin,
            ),
            progress=progress,
        )
    formats = {(entry.key, entry.role): entry.format for entry in found.tensors}
    origin = "profiling on the given events" if events.given else "profiling on random events"
    return _Found(
        link=found.input.format,
        configuration=importing.with_formats(base, formats, found.table_size),
        origin=origin,
        calibration=found,
    )


def _loss(
    request: ImportRequest,
    original: NDArray[np.float64],
    labels: NDArray[np.int64] | None,
    class_names: tuple[str, ...],
) -> tuple[Callable[[RawTensor], float], str, float]:
    """Return how a candidate is measured, in words, and what it may lose."""
    if request.auc_loss is not None and labels is not None:
        probabilities = are_probabilities(original)

        def auc(outputs: NDArray[np.float64]) -> float:
            logits = as_logits(outputs, probabilities)
            return physics.measure(logits, labels, class_names, 0.5).mean_auc

        before = auc(original)
        return (
            lambda found: before - auc(to_values(found.raw, found.format)),
            "loss of mean AUC",
            request.auc_loss,
        )
    if request.auc_loss is not None:
        msg = "--auc-loss needs labelled events (--inputs with labels); else use --tolerance"
        raise InputError(msg)
    span = float(np.ptp(original)) or 1.0
    return (
        lambda found: float(
            np.quantile(np.abs(to_values(found.raw, found.format) - original), QUANTILE) / span
        ),
        f"deviation of {QUANTILE:.0%} of the outputs, as a share of their range",
        request.tolerance,
    )


def _link_for(events: _Events, margin: float) -> FixedPointFormat:
    """Return a 16-bit link for the events seen; hls4ml's default without any."""
    if not events.given:
        return parse_format(DEFAULT_LINK)
    values = events.values
    link = format_for(float(values.min()), float(values.max()), 16, margin=margin, modes=False)
    grid = grid_bits(values)
    if grid is not None and grid < link.fractional_bits:
        link = replace(link, width=max(link.integer_bits + grid, 1 + link.signed))
    return link


def _input_format(model: ImportedModel, configuration: Mapping[str, Any]) -> FixedPointFormat:
    """Return the format that a configuration gives the input."""
    source = importing.input_name(model.network)
    layer = (configuration.get("LayerName") or {}).get(source) or {}
    general = configuration["Model"].get("Precision", DEFAULT_LINK)
    if isinstance(general, dict):
        general = general.get("default", DEFAULT_LINK)
    precision = layer.get("Precision", general) if isinstance(layer, dict) else general
    if isinstance(precision, dict):
        precision = precision.get("result", precision.get("default", general))
    fmt = parse_format(str(general if str(precision) == "auto" else precision))
    return FixedPointFormat(fmt.signed, fmt.width, fmt.integer_bits)


def _io_types(
    model: ImportedModel, found: _Found, hardware: Hardware
) -> tuple[tuple[IoType, ...], tuple[str, ...]]:
    """Return the io types that convert exactly, that of the hardware first, and why others do not.

    Raises:
        ConversionError: if that of the hardware does not.
    """
    other: IoType = "io_stream" if hardware.io_type == "io_parallel" else "io_parallel"
    convert = importing.convert(model.network, "trial", found.link, found.configuration, hardware)
    notes = list(convert.deviations)
    try:
        changed = hardware.model_copy(update={"io_type": other})
        importing.convert(model.network, "trial", found.link, found.configuration, changed)
    except ConversionError as error:
        notes.append(f"{other} is left out: {' '.join(str(error).split())[:200]}")
        return (hardware.io_type,), tuple(notes)
    return (hardware.io_type, other), tuple(notes)


def _files(
    request: ImportRequest, model: ImportedModel, found: _Found, events: _Events
) -> dict[str, bytes]:
    """Return what lies beside the spec: model, formats, events, and the record of the import."""
    files = {f"model{request.model.suffix.lower()}": request.model.read_bytes()}
    if request.weights is not None:
        files["weights.h5"] = request.weights.read_bytes()
    files["formats.yaml"] = _formats_text(found).encode()
    if events.given:
        stream = io.BytesIO()
        arrays: dict[str, Any] = {"x": events.x}
        if events.y is not None:
            arrays["y"] = events.y
        np.savez_compressed(stream, **arrays)
        files["inputs.npz"] = stream.getvalue()
    record = {
        "trigforge": __version__,
        "model": model.what,
        "file": request.model.name,
        "formats_from": found.origin,
        "link_format": str(found.link),
        "calibration": json.loads(TypeAdapter(Any).dump_json(found.calibration, fallback=str)),
    }
    files["import.json"] = (json.dumps(record, indent=1) + "\n").encode()
    return files


def _formats_text(found: _Found) -> str:
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


def _spec(  # noqa: PLR0913, PLR0917 - what a spec consists of
    request: ImportRequest,
    found: _Found,
    hardware: Hardware,
    events: _Events,
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
