import struct
import zipfile

import event_files
import numpy as np
import pytest

from trigforge.core.errors import InputError
from trigforge.samples.tables import reading
from trigforge.samples.tables.content import Selection

X, Y = event_files.X, event_files.Y


class Payload:
    """What a pickle can do when it is read."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


def npy(header, content=b""):
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


@pytest.mark.parametrize(
    ("array", "name"),
    [
        (np.array([[1j, 2]]), "complex128"),
        (np.array([["a", "b"]]), "<U1"),
        (np.array([[b"a", b"b"]]), "|S1"),
        (np.array([["2026-01-01", "2026-01-02"]], "datetime64[D]"), "datetime64"),
        (np.zeros((1, 2), "m8[s]"), "timedelta64"),
        (np.zeros((1, 2), np.longdouble), "float128"),
        (np.zeros(2, [("a", "f4"), ("b", "f4")]), "'a'"),
    ],
)
def test_an_array_of_anything_but_real_numbers_is_refused_by_name(tmp_path, array, name):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(InputError, match=f"holds .*{name.replace('|', '.')}.* values; they must"):
        reading.read(tmp_path / "x.npy", (2,))


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_a_pickle_is_never_loaded(tmp_path, suffix):
    payload = np.array([Payload(), Payload()], dtype=object)
    path = tmp_path / f"x.{suffix}"
    np.save(path, payload) if suffix == "npy" else np.savez(path, x=payload)
    with pytest.raises(InputError, match="object"):
        reading.read(path, (2,), Selection(columns=("x",) if suffix == "npz" else ()))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("(1000000000000, 16)", "takes 64000000000000 bytes, but 64 follow"),
        ("(2, 16)", "takes 128 bytes, but 64 follow"),
        ("(0, 16)", "takes 0 bytes, but 64 follow"),
        ("(-1, 16)", "no length can be negative"),
        ("(99999999999999999999999, 16)", "but 64 follow"),
    ],
)
def test_a_header_that_announces_another_size_is_refused(tmp_path, shape, message):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    (tmp_path / "x.npy").write_bytes(npy(header, bytes(64)))
    with pytest.raises(InputError, match=message):
        reading.read(tmp_path / "x.npy", (16,))


def test_a_header_is_not_evaluated(tmp_path):
    (tmp_path / "x.npy").write_bytes(npy("__import__('os').abort()"))
    with pytest.raises(InputError, match="malformed node"):
        reading.read(tmp_path / "x.npy", (16,))


def test_an_array_alone_has_nothing_to_choose(tmp_path):
    np.save(tmp_path / "x.npy", X)
    for selection in (Selection(columns=("x",)), Selection(label="y"), Selection(tree="t")):
        with pytest.raises(InputError, match="no columns, labels or trees to choose"):
            reading.read(tmp_path / "x.npy", (16,), selection)


def write(tmp_path, **contents):
    np.savez(tmp_path / "x.npz", **contents)
    return tmp_path / "x.npz"


def test_the_array_that_fits_the_model_is_taken(tmp_path):
    path = write(tmp_path, x=X[:, :3], inputs=X, labels=Y, other=np.zeros(3))
    np.testing.assert_array_equal(reading.read(path, (16,)).x, X)
    np.testing.assert_array_equal(reading.read(path, (16,)).y, Y)
    np.testing.assert_array_equal(reading.read(write(tmp_path, arr_0=X), (16,)).x, X)


def test_held_out_events_go_with_their_labels(tmp_path):
    path = write(tmp_path, x_train=X[:30], y_train=Y[:30], x_test=X[30:], y_test=Y[30:], y=Y)
    table = reading.read(path, (16,))
    np.testing.assert_array_equal(table.x, X[30:])
    np.testing.assert_array_equal(table.y, Y[30:])


def test_two_arrays_that_fit_are_not_guessed_between(tmp_path):
    path = write(tmp_path, x=X, data=X, y=Y)
    with pytest.raises(InputError, match="events may be 'x', 'data'; name one with --columns"):
        reading.read(path, (16,))
    assert reading.read(path, (16,), Selection(columns=("data",))).x.shape == X.shape
    path = write(tmp_path, x=X, y=Y, label=Y)
    with pytest.raises(InputError, match="labels may be 'y', 'label'; name one with --label"):
        reading.read(path, (16,))
    assert reading.read(path, (16,), Selection(label="label")).y.tolist() == Y.tolist()


def test_arrays_that_are_not_there_are_listed(tmp_path):
    path = write(tmp_path, x=X[:, :3], y=Y)
    with pytest.raises(InputError, match=r"no array is of shape \(n, 16\): .*x float32 \(40, 3\)"):
        reading.read(path, (16,))
    with pytest.raises(InputError, match="no array 'z'; there is 'x', 'y'"):
        reading.read(path, (16,), Selection(columns=("z",)))
    with pytest.raises(InputError, match="no label array 'z'"):
        reading.read(path, (3,), Selection(label="z"))
    with pytest.raises(InputError, match="--columns names 2"):
        reading.read(path, (3,), Selection(columns=("x", "y")))


def test_labels_of_another_length_are_refused(tmp_path):
    with pytest.raises(InputError, match="'x' holds 40 events but 'y' 39 labels"):
        reading.read(write(tmp_path, x=X, y=Y[1:]), (16,))


def test_a_size_deflate_cannot_reach_is_refused_before_it_is_read(tmp_path):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2500000, 16), }"
    content = npy(header, bytes(160_000_000))
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x.npy", content)
    with pytest.raises(InputError, match="compressed by method 12; NumPy stores or deflates"):
        reading.read(tmp_path / "x.npz", (16,))
    path = write(tmp_path, x=X)
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<I", 2**31)
    path.write_bytes(data)
    with pytest.raises(InputError, match="announces 2147483648 bytes in 2688; 2688 can be right"):
        reading.read(path, (16,))


def test_members_that_are_no_arrays_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match="member 'readme.txt' is not an array"):
        reading.read(tmp_path / "x.npz", (16,))


def test_a_changed_sample_is_refused(tmp_path):
    event_files.write_all(tmp_path)
    with np.load(tmp_path / "sample.npz") as sample:
        arrays = {name: sample[name] for name in sample.files}
    arrays["x_test"] = arrays["x_test"] + 1
    np.savez(tmp_path / "sample.npz", **arrays)
    with pytest.raises(InputError, match="arrays are not those that were written"):
        reading.read(tmp_path / "sample.npz", (16,))
