"""Play held-out events and corners into RTL, cycle by cycle, in two simulators.

    pytest firmware_tests --firmware FOLDER
    pytest firmware_tests --vendor-rtl FOLDER --vectors FOLDER --ports ports.json --interval 1

Every scenario (an event every interval, gaps in valid with noise on the data, reset in
mid-stream) must give each result, bit for bit, after the same number of cycles. The coroutine
that drives the design under cocotb is ``trigforge.cosim.bench.play``, the C++ bench is
``trigforge/cosim/source/bench.cpp``.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from trigforge import cosim
from trigforge.core.records import RawTensor, Stimulus
from trigforge.rtl import folder as firmware_folder

LOG = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.toolchain


def folders_under_test(options) -> list[Path]:
    """Return what is tested: the folders that were named, or all there are."""
    named = [*options.firmware, *([options.vendor_rtl] if options.vendor_rtl else [])]
    written = sorted(path.parent for path in ROOT.glob("firmware/*/ports.json"))
    return named or [path for path in written if firmware_folder.read(path).language == "verilog"]


def pytest_generate_tests(metafunc):
    folders = folders_under_test(metafunc.config.option)
    metafunc.parametrize(
        "folder", folders or [None], ids=lambda path: path.name if path else "none"
    )


def read_vectors(folder: Path, design: cosim.Design) -> tuple[Stimulus, RawTensor]:
    inputs = RawTensor(format=design.input.format, raw=np.load(folder / "inputs.npy"))
    outputs = RawTensor(format=design.output.format, raw=np.load(folder / "outputs.npy"))
    named = folder / "blocks.json"
    blocks = json.loads(named.read_text()) if named.exists() else [["vectors", len(inputs.raw)]]
    return Stimulus(inputs=inputs, blocks=tuple((str(n), int(size)) for n, size in blocks)), outputs


def read_design(folder: Path, options) -> tuple[cosim.Design, Path]:
    """Return the design in a folder and where its vectors lie."""
    if folder != options.vendor_rtl:
        return cosim.of_firmware(firmware_folder.read(folder)), folder / "vectors"
    if options.vectors is None or options.ports is None:
        pytest.fail("--vendor-rtl needs --vectors FOLDER and --ports FILE", pytrace=False)
    ports = cosim.read_ports(options.ports, interval_cycles=options.interval)
    return cosim.of_vendor_rtl(folder, ports), options.vectors


@pytest.mark.parametrize("bench", ["verilator", "cocotb"])
def test_every_result_is_right_and_on_time(folder, bench, store, pytestconfig):
    if folder is None:
        pytest.fail(
            f"no firmware below {ROOT / 'firmware'}; run: trigforge rtl SPEC", pytrace=False
        )
    design, vectors = read_design(folder, pytestconfig.option)
    stimulus, expected = read_vectors(vectors, design)
    outcomes = cosim.check(design, stimulus, expected, store, bench=bench)
    for outcome in outcomes:
        LOG.info(
            "%s: %d events, %d different values, latency %s cycles, %.0f cycles/s on %s",
            outcome.name,
            outcome.n_events,
            outcome.n_different,
            outcome.latency_cycles,
            outcome.n_cycles / outcome.seconds,
            outcome.simulator,
        )
    faults = [f"{outcome.name}: {outcome.fault}" for outcome in outcomes if not outcome.met]
    assert not faults, "\n".join(faults)
