"""Vectors of a tiny model: what is written is what the delivered graph computes."""

from __future__ import annotations

import numpy as np
import pytest

from trigforge import evaluation, pipeline, vectors
from trigforge.core.config.links import Links
from trigforge.core.errors import InputError, SpecError
from trigforge.core.records import RawTensor, no_progress
from trigforge.pipeline import delivery
from trigforge.pipeline.delivery import ComparisonRequest, VectorRequest
from trigforge.vectors import VectorFormat, text

LINKS = Links(inputs=(0, 1), outputs=(5,), frames_per_crossing=8, gap_frames=2)


def write(model, out, vector_format, n_events=None, links=LINKS):
    spec = model.spec.model_copy(update={"links": links})
    request = VectorRequest(format=vector_format, out=out, n_events=n_events)
    return delivery.write_vectors(spec, model.workspace, request, no_progress)


@pytest.fixture
def model(tiny_model):
    return tiny_model("jets_hlf")


@pytest.fixture
def exact(model):
    """The stimulus, and what the delivered graph gives for it."""
    job = pipeline.Job(spec=model.spec, workspace=model.workspace)
    ready = pipeline.prepare(job, None)
    graph = pipeline.firmware.delivered_graph(job, ready)
    inputs = ready.stimulus.inputs
    return graph, inputs, evaluation.evaluate(graph, inputs).outputs


def read_events(model, written, side, port):
    interface = vectors.Interface(name=model.spec.name, input=port, output=port, links=LINKS)
    layout = interface.layout(side)
    parts = [
        vectors.to_events(layout, vectors.read(written.folder / entry.path).content).raw
        for entry in written.files
        if entry.side == side
    ]
    return np.concatenate(parts)


@pytest.mark.pipeline
@pytest.mark.parametrize("vector_format", [VectorFormat.EMP2, VectorFormat.APX])
def test_what_is_written_is_the_stimulus_and_what_the_graph_gives(
    model, exact, tmp_path, vector_format
):
    graph, inputs, outputs = exact
    written = write(model, tmp_path / "out", vector_format)
    assert written.n_events == len(inputs.raw)
    for side, node, tensor in (
        ("inputs", graph.input, inputs),
        ("outputs", graph.output, outputs),
    ):
        found = read_events(model, written, side, node.port)
        assert np.array_equal(found, tensor.raw)


@pytest.mark.pipeline
def test_values_and_raw_integers_need_no_links(model, exact, tmp_path):
    graph, inputs, outputs = exact
    values = write(model, tmp_path / "values", VectorFormat.TB_DATA, n_events=9, links=None)
    assert [entry.n_events for entry in values.files] == [9, 9]
    found = vectors.read(tmp_path / "values" / "tb_output_predictions.dat").content
    assert np.array_equal(text.to_events(found, graph.output.port).raw, outputs.raw[:9])
    write(model, tmp_path / "raw", VectorFormat.RAW, n_events=9, links=None)
    found = vectors.read(tmp_path / "raw" / "tiny_jets_inputs.txt").content
    assert np.array_equal(text.to_events(found, graph.input.port).raw, inputs.raw[:9])


def test_what_cannot_be_written_is_said_before_anything_is_trained(model, tmp_path, monkeypatch):
    monkeypatch.setattr(delivery, "prepare", None)
    with pytest.raises(SpecError, match="links: the spec needs this section"):
        write(model, tmp_path / "out", VectorFormat.EMP2, links=None)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("notes")
    with pytest.raises(InputError, match="is not a folder of vectors"):
        write(model, tmp_path / "out", VectorFormat.RAW)


@pytest.mark.pipeline
def test_more_events_than_there_are_and_too_few_links_are_refused(model, tmp_path):
    with pytest.raises(InputError, match="9999 events are asked for; the stimulus has"):
        write(model, tmp_path / "out", VectorFormat.RAW, n_events=9999)
    narrow = Links(inputs=(0,), outputs=(5,), frames_per_crossing=2)
    with pytest.raises(SpecError, match=r"links\.inputs: .* 192 bits, 3 frames .*2 links would do"):
        write(model, tmp_path / "out", VectorFormat.EMP2, links=narrow)
    assert not (tmp_path / "out").exists()


@pytest.mark.pipeline
def test_a_wrong_output_is_named_by_the_spec(model, exact, tmp_path):
    graph, _, outputs = exact
    write(model, tmp_path / "out", VectorFormat.EMP2, n_events=20)
    spec = model.spec.model_copy(update={"links": LINKS})
    expected = tmp_path / "out" / "tiny_jets_outputs_000.txt"
    raw = outputs.raw[:20].copy()
    raw[7, 3] ^= 1
    layout = vectors.plan(LINKS, graph.output.port, "outputs")
    tensor = RawTensor(format=outputs.format, raw=raw)
    (frames,) = vectors.to_frames(layout, tensor, "lab")
    captured = tmp_path / "captured.txt"
    captured.write_text(vectors.FRAME_WRITERS[VectorFormat.APX](frames))

    def compare(file):
        request = ComparisonRequest(expected=expected, captured=file)
        return delivery.compare_outputs(spec, model.workspace, request, no_progress)

    assert compare(expected).met
    found = compare(captured)
    named = {(entry.event, output.name) for entry in found.differences for output in entry.outputs}
    assert named == {(7, "z")}
    assert vectors.compare_files(expected, captured) == found, "the index says what the spec does"
