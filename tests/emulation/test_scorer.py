"""The emulated firmware as a function of NumPy, awkward and Dask arrays."""

import pickle

import awkward as ak
import dask.array as da
import numpy as np
import pytest
import small_campaigns
from small_campaigns import INPUTS, OUTPUTS, exact, values

from trigforge import emulator
from trigforge.core.errors import InputError
from trigforge.emulation import Scorer
from trigforge.emulation.scorer import _loaded

pytestmark = pytest.mark.toolchain


def test_numpy_values_and_raw_integers_are_scored_exactly(scorer):
    events = values(1000)
    np.testing.assert_array_equal(scorer(events), exact(events))
    raw = small_campaigns.ENCODING.encode(events)
    for dtype in (np.int16, np.int32, np.int64):
        np.testing.assert_array_equal(scorer(raw.astype(dtype)), exact(raw))
    assert scorer(events).dtype == scorer.dtype == "int32"
    assert scorer(events[:0]).shape == (0, 2)
    np.testing.assert_array_equal(scorer(events[:, :, None]), exact(events))


def test_a_scorer_is_small_to_send_and_compiles_nothing_that_is_there(scorer, monkeypatch):
    sent = pickle.dumps(scorer)
    assert len(sent) < 10_000
    received = pickle.loads(sent)
    assert received == scorer
    _loaded.cache_clear()
    builds = []
    build = emulator.build
    monkeypatch.setattr(emulator, "build", lambda *some: builds.append(some) or build(*some))
    events = values(10)
    for _ in range(3):
        np.testing.assert_array_equal(received(events), exact(events))
    assert len(builds) == 1
    assert emulator.is_built(builds[0][0], scorer.store)


def test_awkward_records_and_lists_become_records_of_scores(scorer):
    events = values(200)
    expected = exact(events)
    more = {"run": np.arange(200)}
    records = ak.Array({name: events[:, i] for i, name in enumerate(INPUTS)} | more)
    for found in (scorer(records), scorer(ak.Array(events)), scorer(ak.from_regular(events))):
        assert found.fields == list(OUTPUTS)
        assert len(found) == 200
        np.testing.assert_array_equal(ak.to_numpy(found["top"]), expected[:, 1])
        np.testing.assert_array_equal(ak.to_numpy(found["quark"]), expected[:, 0])


def test_dask_arrays_are_scored_block_by_block(scorer):
    events = values(1000)
    lazy = da.from_array(events, chunks=((300, 300, 400), (2, 1)))
    found = scorer(lazy)
    assert found.chunks == ((300, 300, 400), (2,))
    assert (found.dtype, found.shape) == (np.dtype("int32"), (1000, 2))
    assert (type(found._meta), found._meta.ndim) == (np.ndarray, 2)
    np.testing.assert_array_equal(found.compute(scheduler="threads"), exact(events))
    images = scorer(lazy.reshape(1000, 3, 1))
    assert images.chunks == ((300, 300, 400), (2,))
    np.testing.assert_array_equal(images.compute(scheduler="sync"), exact(events))
    unknown = scorer(lazy[lazy[:, 0] > 0])
    expected = exact(events[events[:, 0] > 0])
    np.testing.assert_array_equal(unknown.compute(scheduler="sync"), expected)


def test_dask_workers_score_too(scorer, client):
    events = values(500)
    found = scorer(da.from_array(events, chunks=(100, 3)))
    np.testing.assert_array_equal(client.compute(found).result(), exact(events))


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (np.zeros((4, 2)), r"small takes events \(3 numbers each\), not \(4, 2\)"),
        (np.zeros(3), r"not \(3,\)"),
        (np.array([[0, 9999, 0]]), "column 'eta': row 0 is 9999"),
        (np.array([["a", "b", "c"]]), "column 'pt' is <U1"),
        ([[1, 2, 3]], "takes NumPy, awkward or Dask arrays, not list"),
        (da.zeros((4, 2)), r"not \(4, 2\)"),
        (da.zeros(3), r"not \(3,\)"),
        (ak.Array({"pt": [1.0], "eta": [2.0]}), "takes pt, eta, mass; the events have pt, eta"),
        (ak.Array([[1.0, 2.0], [3.0]]), "events: .* is no rectangular array of numbers"),
        (ak.Array([[1.0, None, 3.0]]), "is no rectangular array of numbers"),
        (
            ak.Array({"pt": [[1.0]], "eta": [2.0], "mass": [1.0]}),
            "field 'pt' must hold one number an event",
        ),
    ],
)
def test_what_is_no_event_of_the_network_is_refused(scorer, events, message):
    with pytest.raises(InputError, match=message):
        scorer(events)


def test_outputs_need_names_of_their_own(session_store):
    with pytest.raises(InputError, match="2 outputs need as many names"):
        Scorer.of(
            small_campaigns.graph(), small_campaigns.ENCODING, (INPUTS, ("a", "a")), session_store
        )


def test_inputs_without_a_name_each_are_lists(session_store):
    graph, encoding = small_campaigns.graph(), small_campaigns.ENCODING
    scoring = Scorer.of(graph, encoding, (("energy",), OUTPUTS), session_store)
    assert scoring.input_names == ()
    with pytest.raises(InputError, match="takes lists, as its inputs have no names"):
        scoring(ak.Array({"energy": [1.0]}))
    with pytest.raises(InputError, match="column 'element 1': row 0 is 9999"):
        scoring(np.array([[0, 9999, 0]]))
