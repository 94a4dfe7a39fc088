import json

import numpy as np
import pytest
from test_rtl_generation import HARDWARE, small_network, stimulus_of, written

from trigforge import rtl
from trigforge.core import graph_file, packing
from trigforge.core.config import Budget
from trigforge.core.errors import StoreError
from trigforge.core.files import FileSet
from trigforge.evaluation import evaluate
from trigforge.rtl import timemux


@pytest.fixture(scope="module")
def firmware(tmp_path_factory):
    return written(tmp_path_factory.mktemp("rtl") / "firmware", small_network())


def test_a_folder_says_what_it_is(firmware):
    ports = json.loads((firmware.folder / "ports.json").read_text())
    assert ports["inputs"][0]["total_bits"] == 36
    assert ports["outputs"][0]["format"] == "ap_fixed<16,8>"
    assert firmware.name == "tiny"
    assert firmware.part == HARDWARE.part
    assert firmware.latency_cycles == ports["latency_cycles"] > 1
    assert all((firmware.folder / source).is_file() for source in firmware.sources)
    assert firmware.sources[-1] == "rtl/tiny.v"
    assert firmware.modified == ()


def test_it_holds_constraints_script_and_licence(firmware):
    assert "create_clock" in (firmware.folder / "constraints/tiny.xdc").read_text()
    script = (firmware.folder / "scripts/vivado.tcl").read_text()
    assert all(source in script for source in firmware.sources)
    readme = (firmware.folder / "README.md").read_text()
    assert "GNU Lesser General" in readme
    licence = (firmware.folder / "LICENSE.alkaid-LGPL-3").read_text()
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in licence


def multiplexed(folder, pages: FileSet):
    """Write the same network time-multiplexed, with pages to read; return design and firmware."""
    shares = dict.fromkeys(("lut_share", "ff_share", "dsp_share", "bram_share"), 0.1)
    graph = small_network()
    design = timemux.generate(graph, HARDWARE, Budget(latency_ns=1000, **shares))
    stimulus = stimulus_of(graph, 20)
    expected = evaluate(graph, stimulus.inputs).outputs
    files = rtl.assemble(design, graph, HARDWARE, stimulus, expected, pages)
    return design, rtl.write(folder, files, "digest")


def test_a_schedule_and_its_pages_are_kept_and_named(tmp_path, firmware):
    pages = FileSet({"timing.md": "# tiny\n", "timing.svg": "<svg/>"})
    design, other = multiplexed(tmp_path / "firmware", pages)
    assert rtl.read_schedule(other) == design.schedule
    assert rtl.read_schedule(firmware) is None
    assert {path: (other.folder / path).read_bytes() for path in pages} == dict(pages)
    assert other.modified == ()
    readme = (other.folder / "README.md").read_text()
    assert "| `schedule.json` |" in readme
    assert "| `timing.md`, `timing.svg` |" in readme
    assert "a new event may enter every 8 cycle(s)" in readme
    unlike = (firmware.folder / "README.md").read_text()
    assert "timing" not in unlike
    assert "schedule.json" not in unlike


def test_licences_of_others_are_spoken_of_only_where_there_are_any(tmp_path):
    _, other = multiplexed(tmp_path / "firmware", FileSet({}))
    readme = (other.folder / "README.md").read_text()
    assert "alkaid" not in readme
    assert "Apache-2.0" in readme
    assert list(other.folder.glob("LICENSE*")) == []


def test_a_schedule_that_was_damaged_is_refused(tmp_path):
    _, other = multiplexed(tmp_path / "firmware", FileSet({}))
    (other.folder / "schedule.json").write_text('{"layers": []}')
    with pytest.raises(StoreError, match="this is no schedule"):
        rtl.read_schedule(other)


def test_the_vectors_are_those_of_the_graph(firmware):
    graph = rtl.read_graph(firmware)
    assert graph_file.digest(graph) == graph_file.digest(small_network())
    inputs = np.load(firmware.folder / "vectors/inputs.npy")
    stimulus = stimulus_of(graph)
    assert inputs.tolist() == stimulus.inputs.raw.tolist()
    expected = evaluate(graph, stimulus.inputs).outputs.raw
    assert np.load(firmware.folder / "vectors/outputs.npy").tolist() == expected.tolist()
    blocks = json.loads((firmware.folder / "vectors/blocks.json").read_text())
    assert sum(size for _, size in blocks) == len(inputs)


def test_the_hex_vectors_are_the_packed_bits(firmware):
    lines = (firmware.folder / "vectors/inputs.hex").read_text().split()
    raw = np.load(firmware.folder / "vectors/inputs.npy")
    words = packing.pack(raw, firmware.input)
    assert len(lines) == len(raw)
    assert {len(line) for line in lines} == {9}
    for line, event in zip(lines, words.tolist(), strict=True):
        assert int(line, 16) == sum(word << (32 * i) for i, word in enumerate(event))


def test_a_change_by_hand_is_named_and_what_vivado_leaves_is_not(tmp_path):
    firmware = written(tmp_path / "firmware", small_network())
    (firmware.folder / "rtl/tiny.v").write_text("module small; endmodule\n")
    (firmware.folder / "reports").mkdir()
    (firmware.folder / "reports/timing.rpt").write_text("slack\n")
    (firmware.folder / "vivado.log").write_text("log\n")
    assert rtl.read(firmware.folder).modified == ("rtl/tiny.v",)


def test_firmware_written_for_something_else_is_not_taken(tmp_path):
    folder = tmp_path / "firmware"
    assert rtl.find(folder, "digest") is None
    firmware = written(folder, small_network())
    assert rtl.find(folder, "digest") == firmware
    assert rtl.find(folder, "another") is None


def test_a_foreign_or_broken_folder_is_refused(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.tex").write_text("chapter 1")
    with pytest.raises(StoreError, match="not a folder written here"):
        rtl.find(folder, "digest")
    firmware = written(tmp_path / "firmware", small_network())
    (firmware.folder / "ports.json").write_text("{}")
    with pytest.raises(StoreError, match=r"ports\.json is missing or unreadable"):
        rtl.read(firmware.folder)
