import awkward as ak
import event_files
import numpy as np
import pytest
import uproot

from trigforge.core.errors import InputError
from trigforge.samples.tables import reading, root_files
from trigforge.samples.tables.content import Selection

X, Y = event_files.X, event_files.Y


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.root"


def test_branches_are_taken_in_the_order_they_are_named(path):
    event_files.write_tree(path, {**event_files.COLUMNS, "is_top": Y})
    selection = Selection(columns=("f3", "f1"), label="is_top")
    table = reading.read(path, (2,), selection)
    np.testing.assert_array_equal(table.x, X[:, [3, 1]])
    np.testing.assert_array_equal(table.y, Y)
    with pytest.raises(InputError, match="no column 'pt'; there is 'f0'"):
        reading.read(path, (2,), Selection(columns=("pt",)))


def test_a_name_of_a_branch_is_no_expression(path):
    event_files.write_tree(path, {"a": X[:, 0], "b": X[:, 1]})
    with pytest.raises(InputError, match="no column 'a [+] b'"):
        reading.read(path, (1,), Selection(columns=("a + b",)))


def test_integers_stay_integers(path):
    event_files.write_tree(path, {"x": X.astype(np.int16)})
    assert reading.read(path, (16,)).x.dtype == np.int16


def test_images_may_be_arrays_of_two_dimensions(path):
    event_files.write_tree(path, {"image": X.reshape(40, 4, 4)})
    np.testing.assert_array_equal(reading.read(path, (4, 4, 1)).x.reshape(40, 16), X)


@pytest.mark.parametrize("write", [event_files.write_tree, event_files.write_ntuple])
def test_lists_of_another_length_are_named_by_their_entry(path, write):
    lists = X.tolist()
    lists[11] = lists[11][:15]
    write(path, {"x": ak.Array(lists)})
    with pytest.raises(InputError, match="branch 'x': entry 11 holds 15 values, entry 0 16"):
        reading.read(path, (16,))
    assert len(reading.read(path, (16,), Selection(max_events=11)).x) == 11


def test_one_of_several_trees_must_be_named(path):
    with uproot.recreate(path) as file:
        for name, x in (("signal", X), ("jets/background", -X)):
            file.mktree(name, {"x": np.dtype((np.float32, (16,)))})
            file[name].extend({"x": x})
    with pytest.raises(InputError, match="several trees, 'signal', 'jets/background'; name one"):
        reading.read(path, (16,))
    table = reading.read(path, (16,), Selection(tree="jets/background"))
    np.testing.assert_array_equal(table.x, -X)
    with pytest.raises(InputError, match="no TTree or RNTuple 'jets'; there is 'signal'"):
        reading.read(path, (16,), Selection(tree="jets"))


def test_a_file_without_trees_is_refused_by_what_it_holds(path):
    with uproot.recreate(path) as file:
        file["note"] = "hello"
        file["counts"] = np.histogram(X)
    with pytest.raises(InputError, match="no TTree or RNTuple is in it; there is 'note"):
        reading.read(path, (16,))


def test_an_empty_tree_is_refused(path):
    event_files.write_tree(path, {"x": X[:0]})
    with pytest.raises(InputError, match="it holds no events"):
        reading.read(path, (16,))


def test_fields_of_other_types_are_refused_by_name(path):
    event_files.write_ntuple(path, {"x": X, "s": ak.Array(event_files.NAMES.tolist())})
    with pytest.raises(InputError, match="field 's' is std::string; only numbers"):
        reading.read(path, (16,))
    event_files.write_ntuple(path, {"x": ak.Array([{"a": 1.0}, {"a": 2.0}])})
    with pytest.raises(InputError, match="field 'x' is .*; only numbers"):
        reading.read(path, (16,))


def test_entries_no_file_of_the_size_can_hold_are_refused(path):
    event_files.write_tree(path, {"x": np.zeros(3_000_000, np.int8)}, compression=uproot.ZLIB(9))
    assert path.stat().st_size < 60_000
    with pytest.raises(InputError, match=r"tree 'events' \(3000000 entries\) announces 384000000"):
        reading.read(path, (16,))


def test_a_corrupt_description_of_an_ntuple_is_refused_by_its_checksum(path):
    event_files.write_ntuple(path, {"x": X})
    content = bytearray(path.read_bytes())
    with uproot.open(path) as file:
        ntuple = file["events"]
        place = ntuple.member("fSeekFooter") + 12
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="Footer of the RNTuple does not have the checksum"):
        reading.read(path, (16,))


@pytest.fixture
def unknown_leaf(monkeypatch):
    """Let uproot not know a class, so that it would compile what the file says of it."""
    compiled = []
    known = uproot.classes["TLeafF"].known_versions
    monkeypatch.delitem(known, 1)
    real = uproot.deserialization._actually_compile

    def compile_and_tell(class_code, scope):
        compiled.append(class_code)
        real(class_code, scope)

    monkeypatch.setattr(uproot.deserialization, "_actually_compile", compile_and_tell)
    yield compiled
    known.pop(1, None)


def test_a_class_that_a_file_describes_is_never_compiled(path, unknown_leaf):
    event_files.write_tree(path, {"x": X})
    with pytest.raises(InputError, match="is no .root file that can be read"):
        reading.read(path, (16,))
    assert not unknown_leaf
    with uproot.open(path) as file:  # the same file, as uproot reads it by itself
        assert len(file["events"]["x"].array()) == 40
    assert "class Model_TLeafF_v1" in unknown_leaf[0]


def test_no_library_warns(path, recwarn):
    event_files.write_tree(path, {"x": X})
    reading.read(path, (16,))
    assert not recwarn.list


def test_only_vectors_of_plain_numbers_are_vectors():
    for name in ("vector<float>", "std::vector<double>", "vector<unsigned short>", "vector<Int_t>"):
        assert root_files._VECTOR.fullmatch(name), name
    for name in ("vector<vector<float>>", "vector<TLorentzVector>", "map<int,int>", "TObject"):
        assert not root_files._VECTOR.fullmatch(name), name
