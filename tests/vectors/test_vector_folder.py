"""A folder of vectors: complete, described, and never in place of something else."""

import json

import numpy as np
import pytest
import vector_cases as cases

from trigforge import vectors
from trigforge.core.errors import InputError, SpecError
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Port, RawTensor
from trigforge.vectors import VectorFormat, text

INPUT = Port(name="features", shape=(16,), format=parse_format("fixed<12,12>"))


def make(vector_format, n_events=300, links=None):
    interface = vectors.Interface(
        name="tiny",
        input=INPUT,
        output=cases.PORT,
        links=cases.make_links(inputs=[0, 1]) if links is None else links,
    )
    events = cases.make_events(INPUT, n_events), cases.make_events(cases.PORT, n_events)
    return interface, events, *vectors.assemble(interface, vector_format, *events)


@pytest.mark.parametrize("vector_format", cases.FRAME_FORMATS)
def test_frames_are_spread_over_files_that_the_index_lists(vector_format):
    interface, events, contents, files = make(vector_format)
    assert set(contents) == {
        "vectors.json",
        *(f"tiny_{side}_00{k}.txt" for side in ("inputs", "outputs") for k in range(3)),
    }
    assert [(entry.first_event, entry.n_events, entry.n_frames) for entry in files] == [
        (0, 128, 1024),
        (128, 128, 1024),
        (256, 44, 352),
    ] * 2
    for side, tensor in zip(("inputs", "outputs"), events, strict=True):
        layout = interface.layout(side)
        for entry in (entry for entry in files if entry.side == side):
            found = cases.parsed(contents[entry.path])
            assert found.format is vector_format
            back = vectors.to_events(layout, found.content).raw
            first = entry.first_event
            assert np.array_equal(back, tensor.raw[first : first + entry.n_events])


def test_the_index_says_all_that_a_reader_needs():
    *_, contents, _ = make(VectorFormat.EMP2)
    index = json.loads(contents["vectors.json"])
    assert (index["name"], index["format"]) == ("tiny", "emp2")
    assert index["inputs"]["links"] == [0, 1]
    assert index["inputs"]["packet_frames"] == 2
    assert index["outputs"]["format"] == "ap_fixed<18,8>"
    assert index["outputs"]["files"][1] == {
        "path": "tiny_outputs_001.txt",
        "first_event": 128,
        "n_events": 128,
        "n_frames": 1024,
    }
    assert index["links"]["frames_per_crossing"] == 8
    assert index["links"]["order"] == "frame_major"
    assert "element i occupies bits" in index["packing"]


def test_the_name_of_the_model_is_that_of_the_board_if_no_other_is_given():
    *_, contents, _ = make(VectorFormat.EMP2)
    assert contents["tiny_inputs_000.txt"].startswith(b"ID: tiny\n")
    *_, contents, _ = make(VectorFormat.EMP1, links=cases.make_links(inputs=[0], board="x7"))
    assert contents["tiny_inputs_000.txt"].startswith(b"Board x7\n")


@pytest.mark.parametrize(
    ("vector_format", "names"),
    [
        (VectorFormat.TB_DATA, ("tb_input_features.dat", "tb_output_predictions.dat")),
        (VectorFormat.RAW, ("tiny_inputs.txt", "tiny_outputs.txt")),
    ],
)
def test_events_are_one_file_a_side_and_need_no_links(vector_format, names):
    interface = vectors.Interface(name="tiny", input=INPUT, output=cases.PORT, links=None)
    events = cases.make_events(INPUT, 20), cases.make_events(cases.PORT, 20)
    contents, files = vectors.assemble(interface, vector_format, *events)
    assert tuple(entry.path for entry in files) == names
    for name, tensor, port in zip(names, events, (INPUT, cases.PORT), strict=True):
        found = text.to_events(cases.parsed(contents[name]).content, port)
        assert np.array_equal(found.raw, tensor.raw)
    assert "links" not in json.loads(contents["vectors.json"])


def test_frames_need_links_and_enough_of_them():
    interface = vectors.Interface(name="tiny", input=INPUT, output=cases.PORT, links=None)
    events = cases.make_events(INPUT, 2), cases.make_events(cases.PORT, 2)
    with pytest.raises(SpecError, match="links: the spec needs this section"):
        vectors.assemble(interface, VectorFormat.EMP2, *events)
    with pytest.raises(SpecError, match="2 links would do"):
        make(VectorFormat.EMP2, links=cases.make_links(frames_per_crossing=2))


def test_vectors_replace_vectors_and_nothing_else(tmp_path):
    *_, contents, _ = make(VectorFormat.EMP2)
    out = tmp_path / "out"
    vectors.write(out, contents)
    *_, fewer, _ = make(VectorFormat.EMP2, n_events=3)
    vectors.write(out, fewer)
    assert sorted(path.name for path in out.glob("*.txt")) == [
        "tiny_inputs_000.txt",
        "tiny_outputs_000.txt",
    ]
    (out / "captured.txt").write_text("precious")
    with pytest.raises(InputError, match=r"captured\.txt would be lost; move it out"):
        vectors.write(out, contents)
    assert (out / "captured.txt").read_text() == "precious"


def test_other_folders_and_files_are_left_alone(tmp_path):
    *_, contents, _ = make(VectorFormat.EMP2, n_events=2)
    (tmp_path / "notes.txt").write_text("notes")
    for out in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(InputError, match="is not a folder of vectors; name a new one"):
            vectors.write(out, contents)
    (tmp_path / "empty").mkdir()
    vectors.write(tmp_path / "empty", contents)
    assert (tmp_path / "empty" / "vectors.json").is_file()


@pytest.fixture
def written(tmp_path):
    """Write a folder of vectors with a file that differs from the second of its outputs."""
    interface = vectors.Interface(
        name="tiny",
        input=INPUT,
        output=cases.PORT,
        links=cases.make_links(inputs=[0, 1], order="link_major"),
        output_names=cases.NAMES,
    )

    def write(vector_format):
        inputs, outputs = cases.make_events(INPUT, 300), cases.make_events(cases.PORT, 300)
        contents, _ = vectors.assemble(interface, vector_format, inputs, outputs)
        vectors.write(tmp_path / "out", contents)
        raw = outputs.raw.copy()
        raw[200, 2] ^= 4
        wrong, _ = vectors.assemble(
            interface, vector_format, inputs, RawTensor(format=outputs.format, raw=raw)
        )
        name = "tiny_outputs.txt" if vector_format is VectorFormat.RAW else "tiny_outputs_001.txt"
        (tmp_path / "captured.txt").write_bytes(wrong[name])
        return tmp_path / "out" / name, tmp_path / "captured.txt"

    return write


@pytest.mark.parametrize(
    "vector_format", [VectorFormat.EMP2, VectorFormat.EMP1, VectorFormat.APX, VectorFormat.RAW]
)
def test_the_index_beside_expected_vectors_names_events_and_outputs(written, vector_format):
    found = vectors.compare_files(*written(vector_format))
    (difference,) = found.differences
    assert (difference.event, found.n_different) == (200, 1)
    assert [(entry.index, entry.name) for entry in difference.outputs] == [(2, "w")]


def test_inputs_can_be_compared_too(written):
    expected, _ = written(VectorFormat.EMP2)
    file = expected.with_name("tiny_inputs_002.txt")
    assert vectors.compare_files(file, file).met
    frames = vectors.read(file).content
    word = int(frames.words[3 * 8, 1]) ^ 1
    wrong = expected.parent.parent / "wrong.txt"
    wrong.write_text(cases.text_of(cases.edited(frames, words={(3 * 8, 1): word})))
    (difference,) = vectors.compare_files(file, wrong).differences
    assert (difference.event, difference.link) == (259, 1)
    assert [entry.name for entry in difference.outputs] == ["input 10"]


def test_without_its_index_a_file_is_compared_all_the_same(written):
    expected, captured = written(VectorFormat.EMP2)
    (expected.parent / "vectors.json").unlink()
    (difference,) = vectors.compare_files(expected, captured).differences
    assert (difference.event, difference.outputs) == (72, ())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "vectors.json: not as trigforge wrote it"),
        ("", "vectors.json: empty"),
        ("[]\n", r"vectors\.json: not as trigforge wrote it \(TypeError"),
        ('{"generator": "trigforge 0", "inputs": {}}\n', "not as trigforge wrote it .KeyError"),
        ("[" * 100_000 + "\n", "not as trigforge wrote it .RecursionError"),
    ],
)
def test_a_damaged_index_is_refused(written, content, problem):
    expected, captured = written(VectorFormat.EMP2)
    (expected.parent / "vectors.json").write_text(content and content.rstrip("\n") + "\n")
    with pytest.raises(InputError, match=problem):
        vectors.compare_files(expected, captured)


def test_an_index_of_another_program_and_of_other_files_is_left_alone(written):
    expected, captured = written(VectorFormat.EMP2)
    other = expected.with_name("renamed.txt")
    other.write_bytes(expected.read_bytes())
    assert vectors.compare_files(other, captured).differences[0].event == 72
    (expected.parent / "vectors.json").write_text('{"generator": "somebody"}\n')
    assert vectors.compare_files(expected, captured).differences[0].outputs == ()
