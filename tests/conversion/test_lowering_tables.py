"""Every entry of every table, compared with hls4ml's own header as g++ compiles it."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from trigforge.conversion.lowering import tables
from trigforge.core.fixed_point import FixedPointFormat, parse_format
from trigforge.vendor import toolchain

SOURCE = Path(__file__).parent / "lowering_tables.cpp"


@pytest.fixture(scope="module")
def printed(tmp_path_factory) -> list[list[str]]:
    """The lines of the compiled header."""
    folder = tmp_path_factory.mktemp("tables")
    package = Path(find_spec("hls4ml").origin).parent / "templates" / "vivado"
    flags = ["-std=c++14", "-O1", "-w", "-DNDEBUG", f"-I{package}", f"-I{package / 'ap_types'}"]
    toolchain.run(
        [toolchain.compiler(), *flags, "-o", folder / "tables", SOURCE],
        folder=folder,
        timeout_s=600,
        what="compiling the tables",
    )
    output = toolchain.run(
        [folder / "tables"], folder=folder, timeout_s=60, what="printing the tables"
    )
    return [line.split() for line in output.text.splitlines()]


def computed(name: str, size: int):
    """What the package says of a table that the header printed."""
    if "|" not in name:
        legacy = {
            "legacy_exponentials": tables.legacy_exponentials,
            "legacy_inverses": tables.legacy_inverses,
        }
        return (legacy | dict(tables.FUNCTIONS))[name](size)
    what, index, scale, negative = name.split("|")
    if what == "inverses":
        return tables.inverses(size, parse_format(index))
    return tables.exponentials(
        size, parse_format(index), int(scale) / 8, negative=bool(int(negative))
    )


def section_format(words: list[str]) -> FixedPointFormat | None:
    return None if words[1] == "float" else parse_format(words[1])


@pytest.mark.toolchain
def test_tables_are_those_of_the_compiled_header(printed):
    fmt = None
    n_entries = 0
    for name, *words in printed:
        if name in {"format", "softmax"}:
            fmt = section_format([name, *words])
            continue
        size = int(words[0])
        values = computed(name, size)
        if fmt is None:
            expected = np.array([float.fromhex(word) for word in words[1:]], dtype=np.float32)
            np.testing.assert_array_equal(values.astype(np.float32), expected, err_msg=name)
        else:
            pattern = np.array([int(word) for word in words[1:]])
            found = tables.raw_entries(values, fmt) & ((1 << fmt.width) - 1)
            np.testing.assert_array_equal(found, pattern, err_msg=f"{name} {fmt}")
        n_entries += size
    assert n_entries > 50_000


@pytest.mark.toolchain
def test_a_table_of_another_function_would_be_seen(printed):
    words = next(words for name, *words in printed if name == "sigmoid")
    expected = np.array([float.fromhex(word) for word in words[1:]], dtype=np.float32)
    wrong = tables.FUNCTIONS["sigmoid"](int(words[0]))
    wrong[517] = np.nextafter(wrong[517], np.float32(1))
    assert (wrong != expected).sum() == 1


@pytest.mark.parametrize(("overflow", "raw"), [("SAT", 31), ("SAT_ZERO", 0), ("WRAP", 0)])
def test_an_infinite_entry_saturates_or_vanishes(overflow, raw):
    fmt = parse_format(f"fixed<6,3,TRN,{overflow}>")
    assert tables.raw_entries(np.array([np.inf]), fmt) == raw
