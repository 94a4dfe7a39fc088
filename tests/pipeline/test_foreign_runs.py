import tarfile
from pathlib import Path

import numpy as np
import pytest

from trigforge.core.errors import ComparisonError, InputError
from trigforge.core.records import no_progress
from trigforge.pipeline import foreign

ARCHIVE = Path(__file__).parents[1] / "csim/projects/hls4ml_0_7_1_dense_parallel.tar.xz"

pytestmark = pytest.mark.toolchain


@pytest.fixture
def delivered(tmp_path):
    """A project, ``inputs_raw.txt`` and ``expected_raw.txt`` beside it."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


def simulate(delivered, store, **files):
    request = foreign.Request(
        inputs=delivered / "inputs_raw.txt",
        **{key: delivered / name for key, name in files.items()},
    )
    return foreign.simulate(delivered / "project", request, store, no_progress)


def test_a_delivered_project_is_compared_and_its_results_are_written(delivered, session_store):
    found = simulate(
        delivered,
        session_store,
        expected="expected_raw.txt",
        out="out.npy",
        trace="layers.npz",
    )
    assert found.met
    assert found.agreement is not None
    assert (found.n_events, found.agreement.n_values) == (60, 120)
    expected = np.loadtxt(delivered / "expected_raw.txt", dtype=np.int64)
    np.testing.assert_array_equal(np.load(delivered / "out.npy"), expected)
    with np.load(delivered / "layers.npz") as layers:
        assert list(layers) == [layer.name for layer in found.layers]
        np.testing.assert_array_equal(layers["fc2_linear"], expected)
    assert found.layers[0].n_elements == 3
    assert (found.left_out, found.warnings) == ((), ())


def test_one_wrong_bit_is_found(delivered, session_store):
    expected = np.loadtxt(delivered / "expected_raw.txt", dtype=np.int64)
    expected[41, 1] ^= 1
    np.save(delivered / "expected.npy", expected)
    found = simulate(delivered, session_store, expected="expected.npy")
    assert not found.met
    assert found.agreement is not None
    assert found.agreement.n_different == 1
    first = found.agreement.first_difference
    assert first is not None
    assert (first.event, first.output, first.reference) == (41, 1, expected[41, 1])


def test_without_expectation_nothing_is_compared(delivered, session_store):
    found = simulate(delivered, session_store)
    assert (found.met, found.agreement, found.layers) == (True, None, ())


def test_files_that_cannot_be_compared_are_refused(delivered, session_store):
    with pytest.raises(InputError, match=r"nothing.npy is no file"):
        simulate(delivered, session_store, expected="nothing.npy")
    np.savetxt(delivered / "few.txt", np.zeros((3, 2)), fmt="%d")
    with pytest.raises(ComparisonError, match=r"\(3, 2\) and \(60, 2\) values for 60 events"):
        simulate(delivered, session_store, expected="few.txt")
