import mutations
import numpy as np
import pytest

from trigforge.core.errors import InputError


@pytest.fixture
def original(tmp_path):
    (tmp_path / "data.npy").write_bytes(bytes(range(256)) * 4)
    return tmp_path / "data.npy"


def refuse(path):
    msg = f"{path} is corrupt"
    raise InputError(msg)


def test_the_same_seed_gives_the_same_mutations(original):
    content = original.read_bytes()
    first, again, other = (list(mutations.mutations(content, 60, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(first) == 60
    assert len(set(first)) > 50


def test_an_empty_file_can_be_mutated_too():
    assert len(list(mutations.mutations(b"", 300, 1))) == 300


def test_a_reader_that_refuses_everything_withstands(original):
    assert mutations.attack(refuse, original, 40) == {"NoneType": 40}


def test_a_reader_that_takes_everything_withstands(original):
    assert mutations.attack(lambda path: None, original, 40) == {"read": 40}


def leak(path):
    np.load(path)


def hang(path):
    while True:
        pass


def refuse_in_two_lines(path):
    msg = f"{path}\nis corrupt"
    raise InputError(msg)


def refuse_without_the_name(path):
    msg = "corrupt"
    raise InputError(msg)


def run_out_of_memory(path):
    msg = f"{path} is too large"
    raise InputError(msg) from MemoryError()


@pytest.mark.parametrize(
    ("reader", "fault"),
    [
        (leak, "mutation 0 of seed 1: the reader let EOFError"),
        (hang, "took more than 0.1 s"),
        (refuse_in_two_lines, "more than one line"),
        (refuse_without_the_name, "does not name the file"),
        (run_out_of_memory, "too much memory"),
    ],
)
def test_a_reader_with_a_fault_is_found_out(original, reader, fault):
    with pytest.raises(AssertionError, match=fault):
        mutations.attack(reader, original, 40, limit_s=0.1)
