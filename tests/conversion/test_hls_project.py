from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import qkeras
from simulating import LINK, Case, chain, hardware, relu, stimulus_of, weights, write

import trigforge
from trigforge import comparison, csim
from trigforge.conversion import convert, project
from trigforge.core.errors import StoreError
from trigforge.core.records import RawTensor
from trigforge.core.store import Store
from trigforge.networks import reference


def network():
    return chain((3,), relu(), qkeras.QDense(2, name="logits", **weights()), seed=3)


def files_of(case: Case):
    conversion = convert.convert(case.model, case.name, case.link, case.hardware)
    vectors = comparison.project_vectors(stimulus_of(case), 8)
    expected = reference.evaluate(case.model, vectors, conversion.output)
    return project.assemble(conversion, vectors, expected)


@pytest.fixture(scope="module")
def case():
    return Case(model=network(), name="tagger")


@pytest.fixture(scope="module")
def files(case):
    return files_of(case)


@pytest.fixture
def written(files, tmp_path):
    return project.write(tmp_path / "projects" / "tagger", files, "one")


@pytest.mark.parametrize("backend", ["Vitis", "Vivado", "Quartus", "oneAPI", "Catapult"])
def test_the_same_network_gives_the_same_files_without_time_or_place(backend):
    part = "Arria10" if backend in {"Quartus", "oneAPI"} else "xcvu13p-flga2577-2-e"
    case = Case(model=network(), hardware=hardware(backend=backend, part=part))
    first, second = files_of(case), files_of(case)
    assert [path for path in first if first[path] != second[path]] == []
    assert first.digest == second.digest
    for path, content in first.items():
        if path.startswith(("firmware/nnet_utils", "firmware/ap_types", "firmware/ac_")):
            continue  # copied as they are
        assert b"/tmp/" not in content, path
        assert str(Path.home()).encode() not in content or str(Path.home()) == "/", path
        assert re.search(rb"\b20[2-9]\d-\d\d-\d\d\b|\d\d:\d\d:\d\d", content) is None, path


def test_a_project_holds_all_that_is_needed_to_check_it(files):
    assert {
        "firmware/tagger.cpp",
        "firmware/tagger.h",
        "firmware/ap_types/ap_fixed.h",
        "tagger_test.cpp",
        "tb_data/raw_test_bench.hpp",
        "tb_data/inputs_raw.txt",
        "tb_data/expected_raw.txt",
        "build_prj.tcl",
        "ports.json",
        "README.md",
    } <= set(files)
    assert not {"tagger_bridge.cpp", "build_lib.sh", "keras_model.keras"} & set(files)


def test_the_ports_are_described_for_programs(files):
    ports = json.loads(files["ports.json"])
    assert ports["packing"].startswith("element i occupies bits [i*width, (i+1)*width - 1]")
    (entry,) = ports["inputs"]
    assert entry == {
        "name": "inputs",
        "shape": [3],
        "n_elements": 3,
        "format": "ap_fixed<6,3>",
        "signed": True,
        "width_bits": 6,
        "fractional_bits": 3,
        "total_bits": 18,
    }
    (entry,) = ports["outputs"]
    assert entry["total_bits"] == 2 * entry["width_bits"]


def test_the_readme_and_the_test_bench_speak_of_this_network(files):
    readme, bench = files["README.md"].decode(), files["tagger_test.cpp"].decode()
    assert "# tagger: a project for high-level synthesis" in readme
    assert "| part, clock | xcvu13p-flga2577-2-e, 320 MHz |" in readme
    assert "| `inputs` | [i*6, i*6 + 5] | yes | 3 |" in readme
    assert trigforge.__version__ in readme
    assert "raw::load_array(inputs, in);" in bench
    assert "raw::test_bench(run_event, 3, 2, argc, argv)" in bench


def test_the_readme_compiles_as_the_c_simulation_does(files):
    line = re.search(r"    g\+\+ (.*) -o csim", files["README.md"].decode())[1]
    assert tuple(shlex.split(line)) == csim.FLAGS


def test_vectors_are_one_event_a_line(files, case):
    lines = files["tb_data/inputs_raw.txt"].decode().splitlines()
    raw = comparison.project_vectors(stimulus_of(case), 8).raw
    np.testing.assert_array_equal([[int(word) for word in line.split()] for line in lines], raw)
    assert len(files["tb_data/expected_raw.txt"].decode().splitlines()) == len(raw)
    small = RawTensor(format=LINK, raw=np.array([[1, -2], [3, 4]]))
    assert project.format_vectors(small) == "1 -2\n3 4\n"


def test_a_project_reads_back_as_it_was_written(written, tmp_path):
    assert written == project.open_project(tmp_path / "projects" / "tagger")
    assert (written.name, written.backend, written.io_type) == ("tagger", "Vitis", "io_parallel")
    assert written.input.format == LINK
    assert written.output.shape == (2,)
    assert written.modified == ()


def test_a_project_for_the_same_input_is_taken_as_it_is(written):
    assert project.find(written.folder, "one") == written


def test_a_project_for_another_input_is_written_anew(written, files):
    assert project.find(written.folder, "two") is None
    (written.folder / "mine.txt").write_text("mine")
    again = project.write(written.folder, files, "two")
    assert project.find(written.folder, "two") == again
    assert not (written.folder / "mine.txt").exists()


def test_no_project_is_found_where_there_is_none(tmp_path):
    assert project.find(tmp_path / "none", "one") is None
    assert project.find(tmp_path, "one") is None


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(StoreError, match=r"is not a folder written here \(no manifest.json\)"):
        project.find(tmp_path, "one")
    assert (tmp_path / "thesis.tex").exists()


def test_a_file_in_a_projects_place_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="file is not a folder written here"):
        project.find(tmp_path / "file", "one")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"name": 1}', None, "format", "no_shape"]
)
def test_ports_that_cannot_be_read_are_refused(written, content):
    path = written.folder / "ports.json"
    ports = json.loads(path.read_text())
    if content == "format":
        ports["inputs"][0]["format"] = "float"
        content = json.dumps(ports)
    elif content == "no_shape":
        del ports["outputs"][0]["shape"]
        content = json.dumps(ports)
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(StoreError, match=r"ports.json is missing or unreadable .*run again"):
        project.open_project(written.folder)


def test_changed_missing_and_added_files_are_named(written):
    (written.folder / "firmware/tagger.cpp").write_text("// nothing")
    (written.folder / "build_prj.tcl").unlink()
    (written.folder / "firmware/more.h").write_text("")
    changed = project.find(written.folder, "one")
    assert changed.modified == ("build_prj.tcl", "firmware/more.h", "firmware/tagger.cpp")


def test_what_the_test_bench_and_the_tool_leave_is_no_change(written):
    for path in ("csim", "tb_data/csim_results_raw.txt", "vitis_hls.log", "tagger_prj/a/b.cpp"):
        (written.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (written.folder / path).write_text("")
    assert project.open_project(written.folder).modified == ()


def test_the_key_of_a_project_changes_with_all_that_decides_its_files():
    keys = [
        project.project_key("net", hardware()),
        project.project_key("ten", hardware()),
        project.project_key("net", hardware("io_stream")),
        project.project_key("net", hardware(clock_mhz=200)),
    ]
    assert len({json.dumps(key) for key in keys}) == 4
    assert json.loads(json.dumps(keys[0]))["trigforge"] == trigforge.__version__


@pytest.fixture(scope="module")
def bench(case, tmp_path_factory):
    """A project compiled in place with the line that its README gives."""
    folder = tmp_path_factory.mktemp("bench") / "tagger"
    write(case, folder)
    compile_in_place(folder)
    return folder


def compile_in_place(folder: Path) -> None:
    line = re.search(r"^    (g\+\+ .*)$", (folder / "README.md").read_text(), re.MULTILINE)[1]
    subprocess.run(shlex.split(line), cwd=folder, check=True)


def play(folder: Path, *arguments: str):
    return subprocess.run(
        ["./csim", *arguments], cwd=folder, check=False, capture_output=True, text=True
    )


@pytest.mark.toolchain
def test_the_bench_passes_in_place_and_keeps_its_results(bench):
    played = play(bench)
    assert played.returncode == 0
    n_events = len((bench / "tb_data/inputs_raw.txt").read_text().splitlines())
    assert f"{n_events} events, {2 * n_events} values compared, 0 different: PASS" in played.stdout
    results = (bench / "tb_data/csim_results_raw.txt").read_text()
    assert results == (bench / "tb_data/expected_raw.txt").read_text()
    assert project.open_project(bench).modified == ()


@pytest.mark.toolchain
def test_the_bench_plays_other_vectors_without_comparing(bench, tmp_path):
    (tmp_path / "in.txt").write_text("0 0 0\n1 2 3\n")
    played = play(bench, str(tmp_path / "in.txt"), "-", str(tmp_path / "out.txt"))
    assert (played.returncode, played.stdout) == (0, "2 events played, nothing compared\n")
    assert len((tmp_path / "out.txt").read_text().splitlines()) == 2


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("which", "change", "complaint"),
    [
        ("inputs", lambda lines: [], "holds no event"),
        ("inputs", None, "cannot read"),
        ("expected", None, "cannot read"),
        ("expected", lambda lines: lines[:-1], "ends before event"),
        ("inputs", lambda lines: [lines[0], "1 2", *lines[2:]], "line 2: element 2 is missing"),
        ("inputs", lambda lines: ["1 2 3 4", *lines[1:]], "line 1: more than 3 elements"),
        (
            "inputs",
            lambda lines: ["1 x 3", *lines[1:]],
            "line 1: element 1 is missing or no integer",
        ),
        ("expected", lambda lines: ["1", *lines[1:]], "line 1: element 1 is missing"),
    ],
)
def test_vectors_that_cannot_be_used_end_the_bench_with_2(
    bench, tmp_path, which, change, complaint
):
    paths = {name: tmp_path / f"{name}.txt" for name in ("inputs", "expected")}
    for name, path in paths.items():
        shutil.copy(bench / f"tb_data/{name}_raw.txt", path)
    if change is None:
        paths[which].unlink()
    else:
        lines = change(paths[which].read_text().splitlines())
        paths[which].write_text("".join(line + "\n" for line in lines))
    played = play(bench, str(paths["inputs"]), str(paths["expected"]), "-")
    assert played.returncode == 2
    assert complaint in played.stderr


@pytest.mark.toolchain
def test_a_flipped_bit_of_a_weight_ends_the_bench_with_1_and_is_named(bench, case, tmp_path):
    folder = tmp_path / "tagger"
    shutil.copytree(bench, folder)
    weights_file = folder / "firmware/weights/w3.h"
    text = weights_file.read_text()
    first = re.search(r"\{(-?[\d.]+)", text)
    flipped = float(first[1]) + (-1 if round(float(first[1]) * 16) & 1 else 1) / 16
    weights_file.write_text(text[: first.start(1)] + str(flipped) + text[first.end(1) :])
    compile_in_place(folder)
    played = play(folder)
    assert played.returncode == 1
    found = re.search(
        r"FIRST DIFFERENCE: event (\d+), output 0: expected (-?\d+), got (-?\d+)", played.stdout
    )
    expected = (folder / "tb_data/expected_raw.txt").read_text().splitlines()
    assert expected[int(found[1])].split()[0] == found[2] != found[3]
    assert "FAIL" in played.stdout
    assert project.open_project(folder).modified == ("firmware/weights/w3.h",)


@pytest.mark.toolchain
def test_the_flipped_bit_is_seen_by_the_comparison_too(bench, case, tmp_path):
    folder = tmp_path / "tagger"
    shutil.copytree(bench, folder)
    bias = folder / "firmware/weights/b3.h"
    text = bias.read_text()
    first = re.search(r"\{(-?[\d.]+)", text)
    bias.write_text(text[: first.start(1)] + str(float(first[1]) + 1 / 16) + text[first.end(1) :])
    changed = project.open_project(folder)
    stimulus = stimulus_of(case)
    expected = reference.evaluate(case.model, stimulus.inputs, changed.output)
    found = csim.run(changed, stimulus.inputs, Store(tmp_path / "store"))
    seen = comparison.compare(("exact", expected), ("C", found), stimulus, ("one", "two"))
    assert seen.n_different == seen.n_different_events == len(expected.raw)
    assert seen.first_difference.output_name == "one"
    assert seen.first_difference.origin == "held_out[0]"
