"""RTL that vendor tools wrote for an hls4ml project: ``folder, ports -> Design``.

Vitis HLS gives the top function a clock ``ap_clk`` and a reset ``ap_rst``, with ``ap_ctrl_hs``
also ``ap_start``, ``ap_done``, ``ap_ready`` and ``ap_idle`` (AMD UG1399, "Block-Level Control
Protocols"). A tensor is one packed port ``NAME`` or a port ``NAME_0``, ``NAME_1`` ... an element,
each perhaps with ``..._ap_vld``. The header of the module says which; an adapter in Verilog
gives it the ports of our firmware, so that every bench plays it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from trigforge.core import packing, port_file
from trigforge.core.errors import InputError
from trigforge.core.files import FileSet, read_folder
from trigforge.core.records import Port
from trigforge.cosim.design import MEMORY_SUFFIXES, Design

if TYPE_CHECKING:
    from pathlib import Path

ADAPTER = "trigforge_adapter"
QUEUE = "result_queue.v"
_SUFFIXES = (".v", ".sv")
_CONTROL = ("ap_clk", "ap_rst", "ap_rst_n", "ap_start", "ap_done", "ap_ready", "ap_idle")
_PORT = re.compile(
    r"\b(input|output)\b\s*(?:wire|reg|logic)?\s*(?:signed)?\s*(?:\[\s*(\d+)\s*:\s*0\s*\])?\s*"
    r"([A-Za-z_]\w*(?:\s*,\s*(?!(?:input|output)\b)[A-Za-z_]\w*)*)"
)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\(\*.*?\*\)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What vendor RTL is said to compute on: its top module and tensors."""

    top: str
    interval_cycles: int
    input: Port
    output: Port


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """The header of a Verilog module: names and widths of its ports."""

    name: str
    inputs: dict[str, int]
    outputs: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """Which ports of a vendor's module carry what; empty where there is no such port."""

    reset: str
    start: str
    done: str
    ready: str
    inputs: tuple[str, ...]
    input_valids: tuple[str, ...]
    outputs: tuple[str, ...]
    output_valids: tuple[str, ...]


def read_ports(path: Path, *, interval_cycles: int | None = None) -> Ports:
    """Read the ``ports.json`` of an HLS project: name (the top), inputs and outputs.

    ``interval_cycles`` is taken if the file has none.

    Raises:
        InputError: if it is no JSON, lacks one of them, or nobody names the interval.
    """
    try:
        facts = json.loads(path.read_text())
        (entry,), (result,) = facts["inputs"], facts["outputs"]
        top, interval = str(facts["name"]), facts.get("interval_cycles", interval_cycles)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = (
            f"{path} does not describe one input and one output ({error!r}); it is the ports.json "
            "of an HLS project, with name, inputs and outputs"
        )
        raise InputError(msg) from error
    if not isinstance(interval, int) or interval < 1:
        msg = f"{path} names no interval_cycles; say every how many cycles an event may enter"
        raise InputError(msg)
    return Ports(
        top=top,
        interval_cycles=interval,
        input=port_file.read(entry),
        output=port_file.read(result),
    )


def read_module(text: str, name: str) -> Module | None:
    """Return the ports of a module in a Verilog text, or None if it is not there."""
    found = re.search(
        rf"\bmodule\s+{re.escape(name)}\b(.*?)\bendmodule\b", _COMMENT.sub(" ", text), re.DOTALL
    )
    if found is None:
        return None
    ports: dict[str, dict[str, int]] = {"input": {}, "output": {}}
    for direction, high, names in _PORT.findall(found[1]):
        for port in names.split(","):
            ports[direction][port.strip()] = int(high or 0) + 1
    return Module(name=name, inputs=ports["input"], outputs=ports["output"])


def of_vendor_rtl(folder: Path, ports: Ports) -> Design:
    """Return the design of a folder of exported RTL, behind an adapter.

    Its latency is not known; it is measured.

    Raises:
        InputError: if the top module is not there, or its ports are not those of the tensors.
        StoreError: if the folder cannot be read.
    """
    files = {
        path: content
        for path, content in read_folder(folder).items()
        if path.endswith((*_SUFFIXES, *MEMORY_SUFFIXES))
    }
    order = tuple(path for path in files if path.endswith(_SUFFIXES))
    modules = (read_module(files[path].decode(errors="replace"), ports.top) for path in order)
    module = next((module for module in modules if module is not None), None)
    if module is None:
        msg = f"no Verilog file below {folder} has a module {ports.top}; {len(order)} were read"
        raise InputError(msg)
    adapter = f"{ADAPTER}.v"
    files[adapter] = adapter_text(module, recognise(module, ports), ports).encode()
    files[QUEUE] = (resources.files("trigforge.cosim") / "source" / QUEUE).read_bytes()
    return Design(
        title=f"vendor RTL {ports.top}",
        top=ADAPTER,
        sources=FileSet(files),
        order=(*order, adapter, QUEUE),
        input=ports.input,
        output=ports.output,
        latency_cycles=None,
        interval_cycles=ports.interval_cycles,
    )


def recognise(module: Module, ports: Ports) -> Interface:
    """Say which ports of a module carry the tensors.

    Raises:
        InputError: if that cannot be said, or the module streams its data.
    """
    known = {**module.inputs, **module.outputs}
    streams = [name for name in known if name.upper().endswith(("_TDATA", "_TVALID"))]
    if streams:
        msg = (
            f"module {module.name} streams its data ({streams[0]}); only io_parallel is simulated "
            "cycle by cycle: export the project with io_type io_parallel"
        )
        raise InputError(msg)
    resets = [name for name in ("ap_rst", "ap_rst_n") if name in module.inputs]
    if "ap_clk" not in module.inputs or not resets:
        msg = f"module {module.name} has no ap_clk and ap_rst; its inputs: {', '.join(known)}"
        raise InputError(msg)
    inputs = _carriers(module.name, "input", module.inputs, ports.input)
    outputs = _carriers(module.name, "output", module.outputs, ports.output)
    found = Interface(
        reset=resets[0],
        start="ap_start" if "ap_start" in known else "",
        done="ap_done" if "ap_done" in known else "",
        ready="ap_ready" if "ap_ready" in known else "",
        inputs=inputs,
        input_valids=_valids(inputs, module.inputs),
        outputs=outputs,
        output_valids=_valids(outputs, module.outputs),
    )
    if not (found.input_valids or found.start) or not (found.output_valids or found.done):
        msg = (
            f"module {module.name} cannot be told when an event is there: it needs "
            "..._ap_vld or ap_start at its input, and ..._ap_vld or ap_done at its output"
        )
        raise InputError(msg)
    return found


def _carriers(module: str, what: str, available: dict[str, int], port: Port) -> tuple[str, ...]:
    """Return the one port, or the port an element, that carries a tensor."""
    data = {
        name: width
        for name, width in available.items()
        if name not in _CONTROL and not name.endswith("_ap_vld")
    }
    if len(data) == 1 and list(data.values()) == [packing.n_bits(port)]:
        return tuple(data)
    numbered = sorted(data, key=lambda name: int("0" + (re.search(r"\d+$", name) or [""])[0]))
    stems = {re.sub(r"_\d+$", "", name) for name in data}
    widths = set(data.values())
    if len(data) == port.n_elements and len(stems) == 1 and widths == {port.format.width}:
        return tuple(numbered)
    listed = ", ".join(f"{name}[{width}]" for name, width in list(data.items())[:8])
    msg = (
        f"module {module}: its {what}s do not carry {port.n_elements} elements of "
        f"{port.format.width} bits: {listed or 'none'}; one port of {packing.n_bits(port)} bits or "
        f"{port.n_elements} ports NAME_0 ... of {port.format.width} bits are expected"
    )
    raise InputError(msg)


def _valids(names: tuple[str, ...], available: dict[str, int]) -> tuple[str, ...]:
    """Return the valid signal of each port, or nothing if not all have one."""
    valids = tuple(f"{name}_ap_vld" for name in names)
    return valids if all(name in available for name in valids) else ()


def adapter_text(module: Module, found: Interface, ports: Ports) -> str:
    """Write a module with the ports of our firmware around a vendor's module.

    An event is held for the whole interval, because the vendor's module may read elements
    late. A module with ``..._ap_vld`` at its input is always started; otherwise an event
    starts it, until it says ``ap_ready``. Outputs that become valid one by one wait for each
    other in queues.
    """
    n_in, n_out = packing.n_bits(ports.input), packing.n_bits(ports.output)
    width_in, width_out = n_in // len(found.inputs), n_out // len(found.outputs)
    n_queues = len(found.outputs)
    pins = [(".ap_clk", "clk"), (f".{found.reset}", "~rst" if found.reset == "ap_rst_n" else "rst")]
    if found.start:
        pins.append((".ap_start", "1'b1" if found.input_valids else "present"))
    pins += [(f".{name}", name) for name in (found.done, found.ready) if name]
    pins += [(f".{name}", "present") for name in found.input_valids]
    pins += [
        (f".{name}", f"data[{i * width_in} +: {width_in}]") for i, name in enumerate(found.inputs)
    ]
    pins += [
        (f".{name}", f"result[{i * width_out} +: {width_out}]")
        for i, name in enumerate(found.outputs)
    ]
    pins += [(f".{name}", f"ready[{i}]") for i, name in enumerate(found.output_valids)]
    waits = "" if found.input_valids or not found.ready else " | waiting"
    template = (resources.files("trigforge.cosim") / "source" / "adapter.v.in").read_text()
    facts = {
        "@NAME@": ADAPTER,
        "@MODULE@": module.name,
        "@IN@": str(n_in),
        "@OUT@": str(n_out),
        "@OUT_EACH@": str(width_out),
        "@QUEUES@": str(n_queues),
        "@HELD@": str(ports.interval_cycles - 1),
        "@WAITS@": waits,
        "@READY@": found.ready or "1'b1",
        "@WIRES@": "".join(f"  wire {name};\n" for name in (found.done, found.ready) if name),
        "@VALIDS@": "" if found.output_valids else f"  assign ready = {{{n_queues}{{ap_done}}}};\n",
        "@PINS@": ",\n".join(f"    {pin}({net})" for pin, net in pins),
    }
    for key, value in facts.items():
        template = template.replace(key, value)
    return template
