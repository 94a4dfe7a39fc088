"""Every module of the library is one that Verilator has nothing to say about."""

import re

import pytest
from library_bench import LIBRARY, lint

pytestmark = pytest.mark.toolchain

PATHS = sorted(LIBRARY.glob("*.sv"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_no_module_has_a_warning(path):
    assert not lint(path.stem)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_file_is_one_module_of_its_name_that_says_what_it_does(path):
    text = path.read_text()
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [path.stem]
    assert re.match(r"(`ifndef SYNTHESIS\n)?// [A-Z]", text)
    assert "lint_off" not in text


def test_a_warning_is_seen(tmp_path, monkeypatch):
    (tmp_path / "wide.sv").write_text(
        "module wide (input logic [3:0] a, output logic [2:0] b); assign b = a; endmodule\n"
    )
    monkeypatch.setattr("library_bench.LIBRARY", tmp_path)
    assert "WIDTHTRUNC" in lint("wide")
