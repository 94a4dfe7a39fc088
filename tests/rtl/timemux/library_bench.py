"""Play, lint and synthesise modules of the library: they stand in a wrapper with our ports."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import trigforge
from trigforge import cosim
from trigforge.core.files import FileSet, fill_folder
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.records import Outcome, Port, RawTensor, Stimulus
from trigforge.core.store import Store
from trigforge.vendor import toolchain, verilator, yosys
from trigforge.vendor.devices import Architecture

LIBRARY = Path(trigforge.__file__).parent / "rtl" / "timemux" / "library"
WRAPPER = "wrapper.sv"


def sources(*names: str) -> FileSet:
    """Return the files of library modules."""
    return FileSet({f"{name}.sv": (LIBRARY / f"{name}.sv").read_bytes() for name in names})


def lint(*names: str, parameters: Mapping[str, int] | None = None) -> str:
    """Return what Verilator says of each module as a top, with all it instantiates.

    ``parameters`` stand in for the defaults. Nothing is said of a module without warnings.
    """
    said = [_lint(LIBRARY / f"{name}.sv", name, parameters or {}) for name in names]
    return "".join(said)


def lint_wrapper(wrapper_text: str) -> str:
    """Return what Verilator says of a wrapper and the modules in it, as they are set there."""
    with tempfile.TemporaryDirectory(prefix="trigforge-lint-") as name:
        path = Path(name) / f"{_top(wrapper_text)}.sv"
        path.write_text("`timescale 1 ns / 1 ps\n" + wrapper_text)
        return _lint(path, path.stem, {})


def _lint(path: Path, top: str, parameters: Mapping[str, int]) -> str:
    tool = verilator.find()
    values = [f"-G{name}={value}" for name, value in parameters.items()]
    options = ["--lint-only", "-Wall", "--quiet", "-y", LIBRARY, "--top-module", top, *values]
    perl = toolchain.require_tool("perl", purpose="run Verilator", hint="install it")
    completed = toolchain.run(
        [perl, tool.root / "bin" / "verilator", *options, path],
        folder=path.parent,
        timeout_s=300,
        what=f"linting {path.name}",
        environment={"VERILATOR_ROOT": str(tool.root)},
        accepted=(0, 1),
    )
    return completed.text + completed.stderr


def design(  # noqa: PLR0917 - the facts of one design, in the order in which they are found
    title: str,
    wrapper_text: str,
    names: Iterable[str],
    input_port: Port,
    output_port: Port,
    latency_cycles: int,
    interval_cycles: int = 1,
    *,
    changed: Mapping[str, str] | None = None,
) -> cosim.Design:
    """Return the design of a wrapper around library modules.

    ``changed`` holds the texts of modules that stand in for those of the library.
    """
    modules = {
        **sources(*names),
        **{f"{name}.sv": text for name, text in (changed or {}).items()},
    }
    return cosim.Design(
        title=title,
        top=_top(wrapper_text),
        sources=FileSet({**modules, WRAPPER: wrapper_text}),
        order=(*modules, WRAPPER),
        input=input_port,
        output=output_port,
        latency_cycles=latency_cycles,
        interval_cycles=interval_cycles,
    )


@dataclass(frozen=True)
class Sample:
    """A signal of a wrapper's body in the cycle so many after its event's."""

    signal: str
    width: int
    cycle: int


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A module with its parameters, and the widths of its ports, in order.

    Its clock is connected if ``latency`` is given; a combinational module may have none.
    """

    module: str
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    latency: int | None = None


def wrapper(body: str, n_inputs: int, samples: Sequence[Sample], latency: int) -> str:
    """Return a module with our ports around a body that reads clk, rst, in_valid and in_data.

    The samples are ``out_data``, the first lowest, ``latency`` cycles after their event.
    """
    lines, given = [], 0
    for number, sample in enumerate(samples):
        signal, width, late = sample.signal, sample.width, f"late{number}"
        n_kept = (latency - sample.cycle) * width
        if n_kept:
            before = f"{{{late}[0+:{n_kept - width}], {signal}}}" if n_kept > width else signal
            lines += [
                f"  logic [{n_kept - 1}:0] {late};",
                f"  always_ff @(posedge clk) {late} <= {before};",
            ]
            signal = f"{late}[{n_kept - width}+:{width}]"
        lines.append(f"  assign out_data[{given}+:{width}] = {signal};")
        given += width
    delayed = "\n".join(lines)
    return f"""
module wrapper (
    input logic clk,
    input logic rst,
    input logic in_valid,
    input logic [{n_inputs - 1}:0] in_data,
    output logic out_valid,
    output logic [{given - 1}:0] out_data
);
  logic [{latency}:0] flags;
  assign flags[0] = in_valid;
  for (genvar t = 1; t <= {latency}; t++) begin : g_flag
    always_ff @(posedge clk) flags[t] <= flags[t-1] & ~rst;
  end
  assign out_valid = flags[{latency}];
{body}
{delayed}
  logic unused_ports;
  assign unused_ports = &{{1'b0, clk, rst, in_data}};
endmodule
"""


def side_by_side(instances: Sequence[Instance]) -> tuple[str, Port, Port, int]:
    """Return a wrapper around instances, its ports and its latency, that of the slowest.

    Their inputs are cut from ``in_data`` one after the other.
    """
    lines, samples, taken = [], [], 0
    for number, instance in enumerate(instances):
        pins = ["clk"] if instance.latency is not None else []
        for port, width in instance.inputs.items():
            pins.append(f"{port}(in_data[{taken}+:{width}])")
            taken += width
        for port, width in instance.outputs.items():
            lines.append(f"  logic [{width - 1}:0] {port}_{number};")
            pins.append(f"{port}({port}_{number})")
            samples.append(Sample(f"{port}_{number}", width, instance.latency or 0))
        values = ", ".join(f".{name}({value})" for name, value in instance.parameters.items())
        listed = ", ".join(f".{pin}" for pin in pins)
        lines.append(f"  {instance.module} #({values}) dut_{number} ({listed});")
    latency = max(sample.cycle for sample in samples)
    text = wrapper("\n".join(lines), taken, samples, latency)
    n_outputs = sum(sample.width for sample in samples)
    return text, bit_port("in", taken), bit_port("out", n_outputs), latency


def check(
    design: cosim.Design,
    inputs: NDArray[np.int64],
    expected: NDArray[np.int64],
    store: Store,
    bench: cosim.Bench = "cocotb",
) -> tuple[Outcome, ...]:
    """Play raw inputs ``(n_events, n_elements)`` in every scenario; the caller judges."""
    stimulus = Stimulus(
        inputs=RawTensor(format=design.input.format, raw=np.asarray(inputs)),
        blocks=(("events", len(inputs)),),
    )
    results = RawTensor(format=design.output.format, raw=np.asarray(expected))
    return cosim.check(design, stimulus, results, store, bench=bench)


def bit_port(name: str, n_bits: int) -> Port:
    """Return a port of single bits: fields of any width, laid end to end by ``as_bits``."""
    return Port(name=name, shape=(n_bits,), format=FixedPointFormat(False, 1, 1))


def as_bits(*fields: tuple[NDArray[np.int64], int]) -> NDArray[np.int64]:
    """Return the two's complement bits of fields ``(raw, width)``, the first field lowest.

    ``raw`` is ``(n_events,)`` or ``(n_events, n_lanes)``: a lane after the other.
    """
    columns = []
    for raw, width in fields:
        lanes = np.asarray(raw).reshape(len(raw), -1, 1)
        if width <= 64:
            bits = (lanes.astype(np.int64) >> np.minimum(np.arange(width), 63)) & 1
        else:
            bits = (lanes.astype(object) >> np.arange(width)) & 1
        columns.append(bits.astype(np.int64).reshape(len(raw), -1))
    return np.concatenate(columns, axis=1)


def synthesise(wrapper_text: str, names: Iterable[str], folder: Path) -> yosys.Statistics:
    """Return what Yosys makes of a wrapper for UltraScale+; ``folder`` need not exist."""
    names = tuple(names)
    files = FileSet({**sources(*names), WRAPPER: wrapper_text})
    folder.mkdir(parents=True, exist_ok=True)
    fill_folder(folder, files)
    paths = [*(f"{name}.sv" for name in names), WRAPPER]
    script = yosys.script(paths, _top(wrapper_text), Architecture.ULTRASCALE_PLUS)
    (folder / yosys.SCRIPT).write_text(script)
    yosys.run(folder, timeout_s=600, memory_mb=8000, what=f"synthesis of {_top(wrapper_text)}")
    return yosys.read_statistics((folder / yosys.STATISTICS).read_text())


def _top(wrapper_text: str) -> str:
    """Return the name of the first module of a text."""
    found = re.search(r"^\s*module\s+(\w+)", wrapper_text, re.MULTILINE)
    assert found, "the wrapper has no module"
    return found[1]
