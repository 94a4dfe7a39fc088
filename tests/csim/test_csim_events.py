import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import parse_format, to_values
from trigforge.core.records import Port
from trigforge.csim import events

PORT = Port(name="inputs", shape=(2, 1), format=parse_format("ap_fixed<8,4>"))
RAW = np.array([[-128, 127], [0, 3]])


@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 1)])
@pytest.mark.parametrize("kind", ["int8", "int64", "float32", "float64"])
def test_arrays_hold_integers_or_values_on_the_grid(tmp_path, kind, shape):
    table = RAW if kind.startswith("int") else to_values(RAW, PORT.format)
    np.save(tmp_path / "events.npy", table.astype(kind).reshape(shape))
    found = events.read(tmp_path / "events.npy", PORT)
    np.testing.assert_array_equal(found.raw, RAW)
    assert (found.format, found.raw.dtype) == (PORT.format, np.int64)


@given(st.lists(st.tuples(*[st.integers(-128, 127)] * 2), min_size=1, max_size=5))
def test_text_reads_as_it_was_written(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("events")
    raw = np.array(rows)
    np.savetxt(folder / "inputs_raw.txt", raw, fmt="%d")
    np.savetxt(folder / "tb_input_features.dat", to_values(raw, PORT.format))
    for name in ("inputs_raw.txt", "tb_input_features.dat"):
        np.testing.assert_array_equal(events.read(folder / name, PORT).raw, raw)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "a.txt holds no event"),
        ("a.txt", b"1 2\n1\n", "line 2: 1 numbers; the first line has 2"),
        ("a.txt", b"\n1 2\n", "line 1: 0 numbers"),
        ("a.txt", b"1 2\n0.5 1\n", "line 2: '0.5 1' are no raw integers"),
        ("a.txt", b"1 99999999999999999999\n", "are no raw integers of at most 64 bits"),
        ("a.txt", b"1 " + b"9" * 5000, "are no raw integers of at most 64 bits"),
        ("a.txt", b"1 2 3\n", r"holds \(1, 3\); an event of inputs has 2 elements"),
        ("a.txt", b"1 2\n1 128\n", "raw integer 128 of event 1, element 1 is not between -128 and"),
        ("a.txt", b"\xff\xfe1 2", "is no text file of events"),
        ("a.dat", b"1 x\n", "'1 x' are no decimal numbers"),
        ("a.dat", b"1 nan\n", r"nan at \(0, 1\) is not representable in ap_fixed<8,4>"),
        ("a.dat", b"0.01 1\n", "0.01 at .* is not representable.*; quantise the values first"),
        ("a.dat", b"1 1e9\n", "is not representable"),
        ("a.npy", b"", "a.npy is no .npy file of events"),
        ("a.npy", b"PK\x03\x04", "a.npy is no .npy file of events"),
        ("missing/a.txt", None, "is no text file of events"),
        ("missing/a.npy", None, "is no .npy file of events"),
    ],
)
def test_files_that_hold_no_events_are_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        events.read(tmp_path / name, PORT)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.zeros((0, 2)), r"holds float64 \(0, 2\); expected integers or floats"),
        (np.array([["a", "b"]]), r"holds <U1 \(1, 2\)"),
        (np.zeros((3, 3), dtype=int), r"holds \(3, 3\); an event of inputs has 2 elements"),
        (np.zeros(2, dtype=int), r"holds \(2,\); an event of inputs has 2 elements"),
        (np.array([[1, 2**63]], dtype=np.uint64), "raw integer 9223372036854775808 of event 0"),
        (np.array([[np.inf, 0]]), "inf at .* is not representable"),
    ],
)
def test_arrays_of_something_else_are_refused(tmp_path, table, message):
    np.save(tmp_path / "events.npy", table)
    with pytest.raises(InputError, match=message):
        events.read(tmp_path / "events.npy", PORT)


def test_an_array_of_objects_is_not_unpickled(tmp_path):
    np.save(tmp_path / "events.npy", np.array([[{}, {}]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"is no .npy file of events: Object arrays cannot be"):
        events.read(tmp_path / "events.npy", PORT)
