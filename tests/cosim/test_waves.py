"""Waveforms, read back with an FST reader that is not ours."""

import pylibfst
import pytest
from pylibfst import ffi, lib
from tiny_designs import SUMS, stimulus, write

from trigforge import cosim
from trigforge.core import packing

pytestmark = pytest.mark.toolchain
STIMULUS = stimulus()


def changes(path, name: str) -> list[str]:
    """Return every value a signal takes, in order, as bits."""
    context = lib.fstReaderOpen(str(path).encode())
    assert context != ffi.NULL
    _, signals = pylibfst.get_scopes_signals2(context)
    (signal,) = [entry for full, entry in signals.by_name.items() if full.split(" ")[0] == name]
    lib.fstReaderClrFacProcessMaskAll(context)
    lib.fstReaderSetFacProcessMask(context, signal.handle)
    values = []

    def callback(_, time, handle, value):
        del time, handle
        values.append(pylibfst.string(value))

    pylibfst.fstReaderIterBlocks(context, callback)
    lib.fstReaderClose(context)
    return values


def test_an_fst_file_holds_every_event(session_store, tmp_path):
    firmware = write(tmp_path / "firmware", SUMS)
    waves = tmp_path / "sums.fst"
    simulation = cosim.run(firmware, STIMULUS.inputs, session_store, waves=waves)
    assert simulation.waves == waves
    words = packing.pack(STIMULUS.inputs.raw, firmware.input)
    n_bits = packing.n_bits(firmware.input)
    expected = {f"{sum(w << 32 * i for i, w in enumerate(e)):0{n_bits}b}" for e in words.tolist()}
    assert expected <= set(changes(waves, "TOP.in_data"))
    assert {"0", "1"} <= set(changes(waves, "TOP.out_valid"))
