import event_files
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trigforge.core.errors import InputError
from trigforge.samples.tables import parquet_files, reading
from trigforge.samples.tables.content import Selection

X, Y = event_files.X, event_files.Y


@pytest.fixture
def write(tmp_path):
    def table(columns, **options):
        pq.write_table(pa.table(columns), tmp_path / "x.parquet", **options)
        return tmp_path / "x.parquet"

    return table


def test_columns_are_taken_in_the_order_they_are_named(write):
    path = write({**event_files.COLUMNS, "run": ["a"] * 40, "weight": Y})
    table = reading.read(path, (3,), Selection(columns=("f3", "f1", "weight")))
    np.testing.assert_array_equal(table.x, np.stack([X[:, 3], X[:, 1], Y], axis=1))
    assert table.feature_names == ("f3", "f1", "weight")
    with pytest.raises(InputError, match="column 'run' is of type string; features are numbers"):
        reading.read(path, (16,))
    wide = write({f"f{index}": Y for index in range(30)})
    with pytest.raises(InputError, match="no column 'f99'; there is 'f0', .* and 10 more"):
        reading.read(wide, (16,), Selection(columns=("f99",)))


def test_integers_stay_integers(write):
    table = reading.read(
        write({"a": np.arange(3, dtype="i2"), "b": np.arange(3, dtype="u4")}), (2,)
    )
    assert table.x.dtype == np.int64
    assert table.x.tolist() == [[0, 0], [1, 1], [2, 2]]


def test_images_come_as_nested_lists(write):
    images = X.reshape(40, 4, 4)
    table = reading.read(write({"image": images.tolist(), "class": Y}), (4, 4, 1))
    np.testing.assert_array_equal(table.x[..., 0], images)
    np.testing.assert_array_equal(table.y, Y)


def test_names_of_classes_are_sorted(write):
    names = pa.array(event_files.NAMES.tolist()).dictionary_encode()
    table = reading.read(write({"x": X.tolist(), "jet": names}), (16,), Selection(label="jet"))
    assert table.class_names == event_files.CLASS_NAMES
    np.testing.assert_array_equal(table.y, Y)


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(parquet_files, "BATCH_EVENTS", 7)


@pytest.mark.usefixtures("small_batches")
def test_batches_are_joined(write):
    path = write({"x": X.tolist(), "y": Y}, row_group_size=10)
    np.testing.assert_array_equal(reading.read(path, (16,)).x, X)
    table = reading.read(path, (16,), Selection(max_events=16))
    np.testing.assert_array_equal(table.x, X[:16])


@pytest.mark.usefixtures("small_batches")
def test_a_null_is_named_by_its_row(write):
    scalars = [*range(30), None, *range(9)]
    with pytest.raises(InputError, match="column 'x': row 30 is null"):
        reading.read(write({"x": scalars}), (1,))
    lists = X.tolist()
    lists[23][5] = None
    with pytest.raises(InputError, match="column 'x': row 23 has a null at place 5"):
        reading.read(write({"x": lists}), (16,))
    lists[23] = None
    with pytest.raises(InputError, match="column 'x': row 23 is null"):
        reading.read(write({"x": lists}), (16,))
    with pytest.raises(InputError, match="column 'y': row 39 is null"):
        reading.read(write({"x": X.tolist(), "y": [*Y.tolist()[:39], None]}), (16,))


def test_lists_of_another_length_are_named_by_their_row(write):
    lists = X.tolist()
    lists[11] = lists[11][:15]
    with pytest.raises(InputError, match="column 'x': row 11 holds 15 values, row 0 16"):
        reading.read(write({"x": lists}), (16,))


def test_lists_of_another_length_are_found_between_batches(write, monkeypatch):
    monkeypatch.setattr(parquet_files, "BATCH_EVENTS", 20)
    lists = [*X.tolist()[:20], *X[20:, :15].tolist()]
    with pytest.raises(InputError, match=r"column 'x': row 20 is \(15,\), row 0 \(16,\)"):
        reading.read(write({"x": lists}), (16,))


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (pa.array([{"a": 1}]), "struct"),
        (pa.array([["a"]]), "list<element: string>"),
        (pa.array([1], pa.timestamp("s")), "timestamp"),
        (pa.array([1], pa.decimal128(5)), "decimal128"),
        (pa.array([b"1"]), "binary"),
    ],
)
def test_other_types_are_refused_by_name(write, column, found):
    with pytest.raises(InputError, match=f"column 'x' is of type {found}"):
        reading.read(write({"x": column}), (1,))


def test_lists_do_not_stand_beside_other_columns(write):
    path = write({"x": X.tolist(), "pt": X[:, 0], "y": Y})
    with pytest.raises(InputError, match="lists cannot stand beside other columns: .x .16,"):
        reading.read(path, (16,))
    assert reading.read(path, (16,), Selection(columns=("x",))).x.shape == (40, 16)


def test_an_empty_table_and_one_of_labels_only_are_refused(write):
    with pytest.raises(InputError, match="it holds no events"):
        reading.read(write({"x": pa.array([], pa.float32())}), (1,))
    with pytest.raises(InputError, match="it has no columns of features, only 'y'"):
        reading.read(write({"y": Y}), (1,))
    with pytest.raises(InputError, match="labels may be 'label', 'target'"):
        reading.read(write({"x": Y, "label": Y, "target": Y}), (1,))


def test_rows_no_file_of_the_size_can_hold_are_refused(write):
    path = write({"x": pa.array(np.zeros(3_000_000, np.int8))})
    assert path.stat().st_size < 60_000
    with pytest.raises(InputError, match=r"the footer \(3000000 rows\) announces 384000000 bytes"):
        reading.read(path, (16,))


def test_a_tree_of_a_parquet_file_is_refused(write):
    with pytest.raises(InputError, match="has no trees, so no 'events'"):
        reading.read(write({"x": Y}), (1,), Selection(tree="events"))
