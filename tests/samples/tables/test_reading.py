import event_files
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trigforge.core.errors import InputError
from trigforge.samples.tables import checks, reading
from trigforge.samples.tables.content import Selection, TableContent, check_believable, stacked


@pytest.fixture
def files(tmp_path):
    event_files.write_all(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "float.npy",
        "integer.npy",
        "stored.npz",
        "deflated.npz",
        "sample.npz",
        "columns.parquet",
        "lists.parquet",
        "fixed.parquet",
        "array.root",
        "branches.root",
        "vector.root",
        "ntuple_array.root",
        "ntuple_vector.root",
    ],
)
def test_every_kind_gives_the_same_events(files, name):
    table = reading.read(files / name, event_files.SHAPE)
    if name == "integer.npy":
        assert table.x.dtype == np.int16
        np.testing.assert_array_equal(table.x, event_files.X.astype(np.int16))
    else:
        assert table.x.dtype == np.float64
        np.testing.assert_array_equal(table.x, event_files.X)
    if name.endswith(".npy"):
        assert table.y is None
        assert table.n_classes == 0
    else:
        assert table.y.dtype == np.int64
        np.testing.assert_array_equal(table.y, event_files.Y)
        assert table.n_classes == 5
    assert not table.x.flags.writeable
    assert table.source == str(files / name)


def test_names_of_classes_and_features_are_kept(files):
    for name in ("lists.parquet", "ntuple_vector.root", "sample.npz"):
        assert reading.read(files / name, (16,)).class_names == event_files.CLASS_NAMES
    for name in ("columns.parquet", "branches.root", "sample.npz"):
        assert reading.read(files / name, (16,)).feature_names == event_files.FEATURES


@pytest.mark.parametrize(
    "name", ["float.npy", "stored.npz", "sample.npz", "lists.parquet", "vector.root"]
)
def test_the_first_events_can_be_taken(files, name):
    table = reading.read(files / name, (16,), Selection(max_events=7))
    np.testing.assert_array_equal(table.x, event_files.X[:7])
    assert table.y is None or len(table.y) == 7


def test_labels_can_be_left_out(files):
    for name in ("stored.npz", "sample.npz", "lists.parquet"):
        selection = Selection(columns=() if name == "sample.npz" else ("x",), label="")
        assert reading.read(files / name, (16,), selection).y is None


@pytest.mark.parametrize("stored", [(9, 4, 4, 1), (9, 4, 4), (9, 16), (9, 1, 4, 4)])
def test_events_may_be_flat_or_lack_axes_of_length_one(tmp_path, stored):
    x = np.arange(144, dtype=np.uint8).reshape(stored)
    np.save(tmp_path / "x.npy", x)
    table = reading.read(tmp_path / "x.npy", (4, 4, 1))
    assert table.x.shape == (9, 4, 4, 1)
    assert table.x.dtype == np.uint8
    np.testing.assert_array_equal(table.x.ravel(), x.ravel())


def test_one_number_an_event_may_stand_without_an_axis(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(5.0))
    assert reading.read(tmp_path / "x.npy", (1,)).x.shape == (5, 1)


@pytest.mark.parametrize("stored", [(9, 15), (16,), (16, 9), (2, 8, 2), (9, 16, 2), ()])
def test_another_shape_is_refused_with_both_shapes(tmp_path, stored):
    np.save(tmp_path / "x.npy", np.zeros(stored))
    with pytest.raises(InputError, match=r"x\.npy: the events are \(.*; the model takes \(n, 16\)"):
        reading.read(tmp_path / "x.npy", (16,))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_named_by_event_and_element(tmp_path, value):
    x = np.zeros((9, 4, 4), np.float16)
    x[5, 1, 2] = x[6, 0, 0] = value
    np.save(tmp_path / "x.npy", x)
    message = rf"event 5, element 6 is {value}; all must be finite \(2 of 9 events"
    with pytest.raises(InputError, match=message):
        reading.read(tmp_path / "x.npy", (4, 4, 1))


def test_huge_numbers_are_kept(tmp_path):
    np.save(tmp_path / "x.npy", np.full((2, 2), np.finfo(np.float64).max))
    assert reading.read(tmp_path / "x.npy", (2,)).x.max() == np.finfo(np.float64).max


def test_no_events_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((0, 16)))
    with pytest.raises(InputError, match="it holds no events"):
        reading.read(tmp_path / "x.npy", (16,))


def test_an_unknown_kind_lists_the_known_ones(tmp_path):
    with pytest.raises(
        InputError, match=r"kind '.csv' is not known; known: .npy, .npz, .parquet, .pq, .root"
    ):
        reading.read(tmp_path / "x.csv", (16,))


@pytest.mark.parametrize("suffix", reading.KINDS)
def test_a_file_that_is_not_there_or_something_else_is_refused(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    with pytest.raises(InputError, match="is not a file"):
        reading.read(path, (16,))
    for content in (b"", b"\x89PNG\r\n\x1a\n" + bytes(500), b"x,y\n1,2\n" * 100):
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"x{suffix} is no {suffix} file that can be read"):
            reading.read(path, (16,))
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="is not a file"):
        reading.read(path, (16,))


def test_a_line_break_in_a_name_stays_in_one_line(tmp_path):
    path = tmp_path / "a\nb.npy"
    path.write_bytes(b"")
    with pytest.raises(InputError) as refusal:
        reading.read(path, (16,))
    assert str(refusal.value).isprintable()


def labels_of(y, class_names=()):
    y = np.array(y)
    content = TableContent(x=np.zeros((len(y), 1)), y=y, class_names=class_names)
    return checks.labels_of(content, len(y))


@pytest.mark.parametrize(
    "y",
    [
        [2, 0, 1],
        [2.0, 0.0, 1.0],
        np.array([[2], [0], [1]], np.uint8),
        [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
        np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], bool),
        ["top", "gluon", "quark"],
    ],
)
def test_labels_are_indices_one_hot_or_names(y):
    indices, names = labels_of(y)
    assert indices.dtype == np.int64
    assert indices.tolist() == [2, 0, 1]
    assert names == (("gluon", "quark", "top") if isinstance(y[0], str) else ())


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, -1], "label of event 2 is -1; labels are 0 to 65535"),
        ([0, 2**40, 1], "label of event 1 is 1099511627776"),
        (np.array([0, 2**64 - 1], np.uint64), "label of event 1 is 18446744073709551615"),
        ([0.0, 0.5], "label of event 1 is 0.5, no class index"),
        ([0.0, np.nan], "label of event 1 is nan"),
        ([[0, 1], [1, 1]], r"labels of event 1 are \(1, 1\), not one 1 among 0"),
        ([[0, 1], [0, 0.5]], r"labels of event 1 are \(0.0, 0.5\)"),
        (np.zeros((2, 2, 2)), r"the labels are float64 \(2, 2, 2\)"),
        (np.array([1j, 2]), "the labels are complex128"),
    ],
)
def test_labels_that_name_no_class_are_refused(y, message):
    with pytest.raises(InputError, match=message):
        labels_of(y)


def test_a_label_beyond_the_named_classes_is_refused():
    with pytest.raises(InputError, match="label of event 1 is 2; labels are 0 to 1"):
        labels_of([0, 2], ("qcd", "top"))


def test_as_many_labels_as_events_are_needed():
    content = TableContent(x=np.zeros((3, 1)), y=np.zeros(2, int))
    with pytest.raises(InputError, match="there are 3 events but 2 labels"):
        checks.labels_of(content, 3)


def test_integers_that_floats_would_round_are_refused():
    columns = {"a": np.array([2**53 + 1]), "b": np.array([0.5])}
    with pytest.raises(InputError, match=r"column 'a' holds integers above 2\^53"):
        stacked(columns)
    assert stacked({"a": np.array([2**53]), "b": np.array([0.5])}).tolist() == [[2.0**53, 0.5]]


def test_a_size_no_file_can_hold_is_not_believed():
    check_believable(2**28, 100, "the header")
    check_believable(2**33, 2**30, "the header")
    for n_bytes, file_bytes in ((2**28 + 1, 100), (2**34 + 1, 2**40), (-1, 100)):
        with pytest.raises(InputError, match=f"the header announces {n_bytes} bytes"):
            check_believable(n_bytes, file_bytes, "the header")


def test_at_least_one_event_must_be_wanted():
    with pytest.raises(InputError, match="max_events is 0"):
        Selection(max_events=0)


@given(
    arrays.arrays(
        st.one_of(
            arrays.integer_dtypes(endianness="?"),
            arrays.unsigned_integer_dtypes(endianness="?"),
            arrays.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
            arrays.boolean_dtypes(),
        ),
        st.tuples(st.integers(1, 4), st.just(3)),
        elements={"allow_nan": False, "allow_infinity": False},
    ),
    st.sampled_from("CF"),
)
def test_every_real_type_and_order_comes_back_exactly(tmp_path_factory, x, order):
    path = tmp_path_factory.mktemp("arrays") / "x.npy"
    np.save(path, np.asarray(x, order=order))
    read = reading.read(path, (3,)).x
    assert read.dtype == {"f": np.float64, "b": np.uint8}.get(
        x.dtype.kind, x.dtype.newbyteorder("=")
    )
    np.testing.assert_array_equal(read, x)
