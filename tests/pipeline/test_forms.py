"""The network in its other forms: scores of many events, and an ONNX file."""

from __future__ import annotations

import ctypes

import numpy as np
import onnxruntime
import pytest

from trigforge import evaluation, pipeline
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import RawTensor
from trigforge.vendor import toolchain

COMPILES = pytest.mark.toolchain


def exact_scores(model, raw):
    """Return what the evaluator gives for raw integers of the link."""
    job = pipeline.Job(spec=model.spec, workspace=model.workspace)
    graph = pipeline.firmware.delivered_graph(job, pipeline.prepare(job, None))
    return evaluation.evaluate(graph, RawTensor(format=graph.input.format, raw=raw)).outputs.raw


def link_integers(n_events):
    fmt = parse_format("fixed<12,12>")
    rng = np.random.default_rng(3)
    return rng.integers(fmt.raw_min, fmt.raw_max, (n_events, 16), endpoint=True)


@COMPILES
def test_raw_integers_are_scored_piece_by_piece(jets, trigforge_says, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline.emulation, "EVENTS_AT_A_TIME", 300)
    raw = link_integers(1000)
    np.save(tmp_path / "events.npy", raw.astype(np.int16))
    options = ("--events", tmp_path / "events.npy", "--out", tmp_path / "scores.npy")
    code, out, err = trigforge_says(*jets.command("emulate", "--quiet", *options))
    assert code == 0, out + err
    assert out == f"{tmp_path / 'scores.npy'}: 1000 events, 5 raw scores each\n"
    assert np.array_equal(np.load(tmp_path / "scores.npy"), exact_scores(jets, raw))


@COMPILES
def test_physical_values_are_encoded_as_the_link_does(jets, trigforge_says, tmp_path):
    values = jets.sample.x_test
    np.save(tmp_path / "events.npy", values)
    options = ("--events", tmp_path / "events.npy", "--out", tmp_path / "scores.npy")
    code, out, err = trigforge_says(*jets.command("emulate", "--quiet", *options))
    assert code == 0, out + err
    job = pipeline.Job(spec=jets.spec, workspace=jets.workspace)
    encoding = pipeline.prepare(job, None).source.encoding
    expected = exact_scores(jets, encoding.encode(values))
    assert np.array_equal(np.load(tmp_path / "scores.npy"), expected)


@COMPILES
@pytest.mark.parametrize(
    ("events", "problem"),
    [
        (np.zeros((3, 15)), "an event here has 16 elements"),
        (np.full((3, 16), 2**11), "2048"),
        (np.full((3, 16), np.nan), "cannot go onto a link"),
    ],
    ids=["another size", "out of range", "not a number"],
)
def test_events_the_link_cannot_carry_are_refused(jets, trigforge_says, tmp_path, events, problem):
    np.save(tmp_path / "events.npy", events)
    options = ("--events", tmp_path / "events.npy", "--out", tmp_path / "scores.npy")
    code, out, err = trigforge_says(*jets.command("emulate", "--quiet", *options))
    assert (code, out) == (2, "")
    assert problem in err
    assert err.count("\n") == 1
    assert not (tmp_path / "scores.npy").exists()


@COMPILES
def test_any_onnx_runtime_gives_the_raw_integers(jets, trigforge_says, tmp_path):
    path = tmp_path / "jets.onnx"
    code, out, err = trigforge_says(*jets.command("export", "onnx", "--quiet", "--out", path))
    assert code == 0, out + err
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    raw = link_integers(500)
    (scores,) = session.run(None, {session.get_inputs()[0].name: raw})
    assert np.array_equal(scores, exact_scores(jets, raw))


@COMPILES
def test_the_exported_emulator_builds_where_it_lies(jets, trigforge_says, tmp_path):
    out = tmp_path / "emulator"
    options = ("--model-version", "3", "--out", out)
    code, said, err = trigforge_says(*jets.command("export", "emulator", "--quiet", *options))
    assert code == 0, said + err
    toolchain.run(["make"], folder=out, timeout_s=300, what="building the exported emulator")
    library = ctypes.CDLL(str(out / "libtiny_jets_v3.so"))
    raw = np.ascontiguousarray(link_integers(100), dtype=np.int32)
    scores = np.empty((100, 5), dtype=np.int32)
    predict = library.tiny_jets_v3_predict
    predict.restype = ctypes.c_longlong
    pointers = (ctypes.c_void_p(array.ctypes.data) for array in (raw, scores))
    assert predict(*pointers, ctypes.c_longlong(100)) == 100
    assert np.array_equal(scores, exact_scores(jets, raw))


def test_nothing_is_overwritten_by_an_export(jets, trigforge_says, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    code, out, err = trigforge_says(*jets.command("export", "emulator", "--out", tmp_path))
    assert (code, out) == (2, "")
    assert "exists and is not an empty folder; name another one" in err
    assert (tmp_path / "mine.txt").read_text() == "mine"
