"""Run hls4ml: ``(QKeras model, link format, Hardware) -> Conversion``."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hls4ml
import keras

from trigforge.conversion import configuration, exactness, handlers, lowering
from trigforge.core.config import Hardware
from trigforge.core.errors import ConversionError, TrigforgeError
from trigforge.core.files import FileSet, read_folder
from trigforge.core.fixed_point import FixedPointFormat, Overflow, parse_format
from trigforge.core.graph import FixedPointGraph
from trigforge.core.records import Port

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_EXACT_BITS = 53
"""Widest sum that the float64 reference holds exactly."""

_NOT_REPRODUCIBLE = ("keras_model.keras", "build_lib.sh")
_CONFIG = "hls4ml_config.yml"
_CONFIG_NOISE = ("KerasModel:", "OutputDir:", "Stamp:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What hls4ml made of a network: its files and the ports as C++ declares them."""

    name: str
    hardware: Hardware
    files: FileSet
    input: Port
    output: Port
    input_definition: str
    output_definition: str
    graph: FixedPointGraph | None
    """The arithmetic of the C++; None if the backend's is not known."""
    deviations: tuple[str, ...]
    """Where the C++ is known to differ from Keras by more than rounding, layer by layer."""

    @property
    def arithmetic(self) -> FixedPointGraph:
        """The graph.

        Raises:
            ConversionError: if the backend's arithmetic is not known.
        """
        if self.graph is None:
            msg = f"{self.name}: the arithmetic of {self.hardware.backend} is not known"
            raise ConversionError(msg)
        return self.graph


def convert(model: Any, name: str, link: FixedPointFormat, hardware: Hardware) -> Conversion:
    """Convert a QKeras model to the C++ of an HLS project.

    Raises:
        ConversionError: if a layer cannot be converted exactly, if an accumulator is too
            wide for the reference, or if hls4ml fails.
    """
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs, model.outputs, name=model.name)
    exactness.check(model, hardware)
    with tempfile.TemporaryDirectory(prefix="trigforge-") as folder:
        graph = to_model_graph(model, name, link, hardware, Path(folder))
    _check_widths(graph)
    _check_concatenations(graph)
    return from_model_graph(graph, name, hardware)


def from_model_graph(model_graph: Any, name: str, hardware: Hardware) -> Conversion:
    """Lower a ``ModelGraph`` of any of hls4ml's front ends, and write its C++.

    Raises:
        ConversionError: if the arithmetic of a layer cannot be expressed exactly.
    """
    known = hardware.backend in lowering.BACKENDS
    arithmetic = lowering.lower(model_graph, name) if known else None
    deviations = lowering.known_deviations(model_graph) if known else ()
    with tempfile.TemporaryDirectory(prefix="trigforge-") as folder:
        model_graph.config.config["OutputDir"] = folder
        quietly(model_graph.write)
        stamp = str(model_graph.config.get_config_value("Stamp"))
        files = _reproducible(read_folder(Path(folder)), name, stamp)
    (source,), (sink,) = model_graph.get_input_variables(), model_graph.get_output_variables()
    return Conversion(
        name=name,
        hardware=hardware,
        files=files,
        input=_port(source),
        output=_port(sink),
        input_definition=source.definition_cpp(),
        output_definition=sink.definition_cpp(),
        graph=arithmetic,
        deviations=deviations,
    )


def to_model_graph(
    model: Any, name: str, link: FixedPointFormat, hardware: Hardware, folder: Path
) -> Any:
    """Return hls4ml's graph of a checked model after its optimiser; ``folder`` is its own.

    Raises:
        ConversionError: if hls4ml fails.
    """
    handlers.register()
    try:
        return quietly(
            hls4ml.converters.convert_from_keras_model,
            model,
            hls_config=quietly(configuration.configure, model, link, hardware),
            allow_da_fallback=False,
            allow_v2_fallback=False,
            **project_options(name, hardware, folder),
        )
    except TrigforgeError:
        raise
    except Exception as error:
        msg = f"hls4ml {hls4ml.__version__} cannot convert {name} for {hardware.backend}: {error}"
        raise ConversionError(msg) from error


def project_options(name: str, hardware: Hardware, folder: Path) -> dict[str, Any]:
    """Return what every converter of hls4ml is told of a project; ``folder`` is its own."""
    options = {
        "output_dir": str(folder),
        "project_name": name,
        "backend": hardware.backend,
        "io_type": hardware.io_type,
        "part": hardware.part,
        "clock_period": 1000.0 / hardware.clock_mhz,
    }
    if hardware.backend == "Catapult":  # its writer knows no other options
        return options
    return options | {"write_weights_txt": False, "write_tar": False}


def _check_widths(graph: Any) -> None:
    """Refuse sums that the reference could not compute exactly."""
    for layer in graph.get_layers():
        for role, named in layer.types.items():
            width = getattr(named.precision, "width", 0)
            if role in {"accum_t", "result_t"} and width > MAX_EXACT_BITS:
                msg = (
                    f"layer {layer.name}: {role} is {named.precision}, {width} bits; the float64 "
                    f"reference is exact to {MAX_EXACT_BITS}: narrow weights or activations"
                )
                raise ConversionError(msg)


def _check_concatenations(graph: Any) -> None:
    """Refuse a joint format that would saturate what only one of the inputs never holds."""
    for layer in graph.get_layers():
        if layer.class_name == "Concatenate":
            formats = [
                parse_format(str(layer.get_input_variable(name).type.precision))
                for name in layer.inputs
            ]
            symmetric = {fmt.overflow is Overflow.SAT_SYM for fmt in formats}
            if len(symmetric) > 1:
                msg = (
                    f"layer {layer.name}: {' and '.join(map(str, formats))} cannot be joined "
                    "exactly; make both quantisers symmetric, or none"
                )
                raise ConversionError(msg)


def _port(variable: Any) -> Port:
    """Describe one end of the network; in io_stream the type of a pack hides the element's."""
    return Port(
        name=str(variable.name),
        shape=tuple(int(n) for n in variable.shape),
        format=parse_format(str(variable.type.precision)),
    )


def _reproducible(files: FileSet, name: str, stamp: str) -> FileSet:
    """Leave out what holds time stamps, paths of this machine or serves hls4ml alone.

    ``stamp`` is what hls4ml draws by chance; oneAPI's build files need one, so it is zeroed.
    """
    kept: dict[str, bytes | str] = {
        path: content
        for path, content in files.items()
        if path not in (*_NOT_REPRODUCIBLE, f"{name}_bridge.cpp")
    }
    for path in kept.keys() & {"CMakeLists.txt", f"src/{name}_bridge.cpp"}:
        kept[path] = files[path].decode().replace(stamp, "0" * len(stamp))
    if _CONFIG in files:
        lines = files[_CONFIG].decode().splitlines(keepends=True)
        kept[_CONFIG] = "".join(line for line in lines if not line.startswith(_CONFIG_NOISE))
    return FileSet(kept)


def quietly(function: Any, *arguments: Any, **options: Mapping[str, Any] | Any) -> Any:
    """Call hls4ml, which prints its progress and warns of its own doing, without its voice."""
    nowhere = io.StringIO()
    with (
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        return function(*arguments, **options)
