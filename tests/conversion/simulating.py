"""Convert small networks, simulate them and hold them to the exact reference."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import qkeras

from trigforge import comparison, csim
from trigforge.conversion import convert, project
from trigforge.core.config import Hardware
from trigforge.core.fixed_point import FixedPointFormat, parse_format
from trigforge.core.records import Agreement, HlsProject, RawTensor, Stimulus
from trigforge.core.store import Store
from trigforge.networks import reference

LINK = parse_format("fixed<6,3>")
IO_TYPES = ("io_parallel", "io_stream")
N_EVENTS = 100


def weights(bits: int = 5, integer: int = 0) -> dict[str, Any]:
    """Quantisers of a layer's weights."""
    return {
        "kernel_quantizer": qkeras.quantized_bits(bits, integer, alpha=1.0),
        "bias_quantizer": qkeras.quantized_bits(bits, integer, alpha=1.0),
    }


def relu(bits: int = 5, integer: int = 2, **options: Any) -> Any:
    return qkeras.QActivation(qkeras.quantized_relu(bits, integer), **options)


def cast(bits: int = 6, integer: int = 2, symmetric: int = 0, **options: Any) -> Any:
    quantiser = qkeras.quantized_bits(bits, integer, symmetric=symmetric, alpha=1.0)
    return qkeras.QActivation(quantiser, **options)


def hardware(io_type: str = "io_parallel", **changes: Any) -> Hardware:
    values = {"part": "xcvu13p-flga2577-2-e", "clock_mhz": 320, "io_type": io_type}
    return Hardware(**(values | changes))


def fill(model: Any, seed: int = 1) -> Any:
    """Give a model weights that use the whole of their grids, and beyond."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        if variable.dtype != "float32":
            continue
        positive = "variance" in variable.path
        values = random.uniform(0.5, 2, variable.shape) if positive else None
        if values is None:
            values = random.uniform(-1.2, 1.2, variable.shape)
        if "standardise" in variable.path:
            values = np.rint(2 * values)
        variable.assign(values)
    return model


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network, and how it is converted."""

    model: Any
    link: FixedPointFormat = LINK
    hardware: Hardware = field(default_factory=hardware)
    name: str = "net"
    seed: int = 5


def stimulus_of(case: Case) -> Stimulus:
    n_elements = int(np.prod(case.model.input_shape[1:]))
    raw = np.random.default_rng(case.seed).integers(
        case.link.raw_min, case.link.raw_max, size=(N_EVENTS, n_elements), endpoint=True
    )
    return comparison.make_stimulus(RawTensor(format=case.link, raw=raw), seed=case.seed)


def write(case: Case, folder: Path) -> HlsProject:
    """Convert a network and write its project, with a few vectors."""
    conversion = convert.convert(case.model, case.name, case.link, case.hardware)
    vectors = comparison.project_vectors(stimulus_of(case), 8)
    expected = reference.evaluate(case.model, vectors, conversion.output)
    return project.write(folder, project.assemble(conversion, vectors, expected), "digest")


def agreement(case: Case, written: HlsProject, store: Store) -> Agreement:
    """Simulate a project and compare it with the exact reference."""
    stimulus = stimulus_of(case)
    expected = reference.evaluate(case.model, stimulus.inputs, written.output)
    assert len(np.unique(expected.raw)) > 1, "outputs that never change prove nothing"
    found = csim.run(written, stimulus.inputs, store)
    names = tuple(f"output_{i}" for i in range(written.output.n_elements))
    return comparison.compare(("exact", expected), ("C", found), stimulus, names)


def agreements(cases: dict[str, Case], folder: Path) -> dict[str, Agreement]:
    """Do this for many networks; two compile at a time."""
    store = Store(folder / "store")
    written = {name: write(case, folder / name) for name, case in cases.items()}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda entry: csim.build(entry, store), written.values()))
    return {name: agreement(case, written[name], store) for name, case in cases.items()}


def chain(shape: tuple[int, ...], *layers: Any, seed: int = 1) -> Any:
    """One layer after the other."""
    inputs = keras.Input(shape, name="inputs")
    x = inputs
    for layer in layers:
        x = layer(x)
    return fill(keras.Model(inputs, x), seed)
