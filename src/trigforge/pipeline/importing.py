"""Take a trained model in: ``ImportRequest -> Imported``, a spec and all that it needs.

Formats come from an hls4ml configuration, if one is given; else from the model's own
quantisers; else, for a float model, from profiling it on the events.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from pydantic import ValidationError

from trigforge import __version__, physics
from trigforge.calibration import Problem, calibrate
from trigforge.calibration.ranges import grid_bits, link_format
from trigforge.conversion import importing, lowering
from trigforge.core.config import Hardware
from trigforge.core.errors import ConversionError, InputError, SpecError
from trigforge.core.files import FileSet, fill_folder, write_file, writing_folder
from trigforge.core.fixed_point import FixedPointFormat, parse_format, to_values
from trigforge.core.formats import Imported
from trigforge.core.records import no_progress
from trigforge.core.spec_file import explain, parse_spec
from trigforge.frontends import open_model
from trigforge.pipeline import spec_folder
from trigforge.pipeline.imported import (
    are_probabilities,
    as_logits,
    random_events,
    read_configuration,
)
from trigforge.samples.tables import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from trigforge.core.config import IoType
    from trigforge.core.graph import FixedPointGraph
    from trigforge.core.records import Progress, RawTensor
    from trigforge.frontends import ImportedModel


def take_in(request: spec_folder.ImportRequest, *, progress: Progress = no_progress) -> Imported:
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
    config = request.hls_config
    said, found = ({}, None) if config is None else _given(config, model)
    hardware = _hardware(request, said, {} if found is None else found.configuration)
    events = _events(request, model)
    found = found or _formats(request, model, hardware, events, progress)
    io_types, notes = _io_types(model, found, hardware)
    files = spec_folder.files(request, model, found, events)
    spec = spec_folder.spec(request, found, hardware, events, io_types, name)
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


def _given(path: Path, model: ImportedModel) -> tuple[dict[str, Any], spec_folder.Found]:
    """Return all that an hls4ml configuration says, and the formats in it."""
    said, formats = read_configuration(path)
    origin = f"the hls4ml configuration {path.name}"
    link = _input_format(model, formats)
    return said, spec_folder.Found(link=link, configuration=formats, origin=origin)


def _hardware(
    request: spec_folder.ImportRequest, said: Mapping[str, Any], formats: Mapping[str, Any]
) -> Hardware:
    """Return the hardware: what an hls4ml configuration says, else the request."""
    model = formats.get("Model", {})
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
    except ValidationError as error:
        lines = "; ".join(explain(entry) for entry in error.errors())
        where = request.hls_config or "the command line"
        msg = f"{where}: its settings cannot be used: {lines}"
        raise SpecError(msg) from error


def _events(request: spec_folder.ImportRequest, model: ImportedModel) -> spec_folder.Events:
    """Return the user's events, or random ones to convert at all."""
    if request.inputs is None:
        n_inputs = int(np.prod(model.input_shape))
        x = random_events(spec_folder.N_RANDOM, n_inputs, request.seed).reshape(
            -1, *model.input_shape
        )
        return spec_folder.Events(x=x, y=None, class_names=(), given=False)
    selection = replace(request.selection, max_events=request.n_events)
    table = reading.read(request.inputs, model.input_shape, selection)
    names = table.class_names
    if table.y is not None and not names:
        n_classes = max(int(table.y.max()) + 1, model.n_outputs, 2)
        names = tuple(f"class_{i}" for i in range(n_classes))
    if names and len(names) not in {model.n_outputs, 2 if model.n_outputs == 1 else 0}:
        msg = f"{request.inputs}: {len(names)} classes for a model of {model.n_outputs} outputs"
        raise InputError(msg)
    return spec_folder.Events(x=table.x, y=table.y, class_names=names, given=True)


def _formats(
    request: spec_folder.ImportRequest,
    model: ImportedModel,
    hardware: Hardware,
    events: spec_folder.Events,
    progress: Progress,
) -> spec_folder.Found:
    """Return the formats that a model states, or those that profiling finds."""
    if model.quantised:
        return spec_folder.Found(
            link=_link_for(events, request.margin),
            configuration=importing.base_configuration(model.network, hardware),
            origin="the model's own quantisers",
        )
    return _calibrated(request, model, hardware, events, progress)


def _calibrated(
    request: spec_folder.ImportRequest,
    model: ImportedModel,
    hardware: Hardware,
    events: spec_folder.Events,
    progress: Progress,
) -> spec_folder.Found:
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

        few = events.values[: spec_folder.N_PROFILED]
        labels = None if events.y is None else events.y[: spec_folder.N_PROFILED]
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
    return spec_folder.Found(
        link=found.input.format,
        configuration=importing.with_formats(base, formats, found.table_size),
        origin=origin,
        calibration=found,
    )


def _loss(
    request: spec_folder.ImportRequest,
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
            np.quantile(np.abs(to_values(found.raw, found.format) - original), spec_folder.QUANTILE)
            / span
        ),
        f"deviation of {spec_folder.QUANTILE:.0%} of the outputs, as a share of their range",
        request.tolerance,
    )


def _link_for(events: spec_folder.Events, margin: float) -> FixedPointFormat:
    """Return a 16-bit link for the events seen; hls4ml's default without any."""
    if not events.given:
        return parse_format(spec_folder.DEFAULT_LINK)
    values = events.values
    span = float(values.min()), float(values.max())
    return link_format(*span, 16, margin=margin, grid=grid_bits(values))


def _input_format(model: ImportedModel, configuration: Mapping[str, Any]) -> FixedPointFormat:
    """Return the format that a configuration gives the input."""
    source = importing.input_name(model.network)
    layer = configuration.get("LayerName", {}).get(source, {})
    general = configuration["Model"].get("Precision", spec_folder.DEFAULT_LINK)
    if isinstance(general, dict):
        general = general.get("default", spec_folder.DEFAULT_LINK)
    precision = layer.get("Precision", general)
    if isinstance(precision, dict):
        precision = precision.get("result", precision.get("default", general))
    fmt = parse_format(str(general if str(precision) == "auto" else precision))
    return FixedPointFormat(fmt.signed, fmt.width, fmt.integer_bits)


def _io_types(
    model: ImportedModel, found: spec_folder.Found, hardware: Hardware
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
