from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
import time
from pathlib import Path

import pytest

from trigforge.core.errors import ToolError
from trigforge.vendor import toolchain

RECORDER = """#!{python}
import json, os, sys
record = dict(arguments=sys.argv[1:], folder=os.getcwd(), marker=os.environ.get("MARKER"))
record["stdin"] = sys.stdin.read()
open({record!r}, "w").write(json.dumps(record))
print("line one"); print("line two"); print("careful", file=sys.stderr)
sys.exit({code})
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """An empty folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CXX", raising=False)
    return folder


def add_program(folder: Path, name: str, text: str) -> Path:
    program = folder / name
    program.write_text(text)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def add_recorder(folder: Path, name: str, *, code: int = 0) -> Path:
    record = str(folder / f"{name}.json")
    return add_program(
        folder, name, RECORDER.format(python=sys.executable, record=record, code=code)
    )


def record_of(program: Path) -> dict[str, object]:
    return json.loads(program.with_suffix(".json").read_text())


def run(arguments, folder, **options):
    settings = {"timeout_s": 30, "what": "testing", **options}
    return toolchain.run(arguments, folder=folder, **settings)


def test_a_program_on_the_path_is_found(programs):
    program = add_recorder(programs, "yosys")
    assert toolchain.require_tool("yosys", purpose="synthesise", hint="install it") == program


def test_a_program_is_found_by_its_absolute_path(programs, tmp_path):
    program = add_recorder(tmp_path, "g++-12")
    assert toolchain.require_tool(str(program), purpose="compile", hint="install it") == program


def test_a_missing_program_says_where_it_was_looked_for_and_what_to_do(programs):
    with pytest.raises(ToolError, match="verilator is needed to simulate") as error:
        toolchain.require_tool("verilator", purpose="simulate", hint="run apt install verilator")
    assert str(programs) in str(error.value)
    assert "run apt install verilator" in str(error.value)


def test_a_file_that_cannot_be_executed_is_no_program(programs):
    (programs / "yosys").write_text("text")
    with pytest.raises(ToolError, match="no such program"):
        toolchain.require_tool("yosys", purpose="synthesise", hint="install it")


@pytest.mark.parametrize(
    "name", ["", ".", "-c", "g++ -O2", "a;b", "../g++", "sub/g++", "$(x)", "g++\n", "/bin/../g++ x"]
)
def test_what_is_no_plain_name_of_a_program_is_refused(programs, name):
    with pytest.raises(ToolError, match="is not the name or the absolute path"):
        toolchain.require_tool(name, purpose="compile", hint="install it")


def test_the_compiler_is_gxx_unless_cxx_names_another(programs, monkeypatch):
    gxx, other = add_recorder(programs, "g++"), add_recorder(programs, "clang++-19")
    assert toolchain.compiler() == gxx
    monkeypatch.setenv("CXX", "clang++-19")
    assert toolchain.compiler() == other
    monkeypatch.setenv("CXX", "")
    assert toolchain.compiler() == gxx


def test_a_missing_compiler_says_how_to_get_one(programs, monkeypatch):
    with pytest.raises(ToolError, match=r"apt install g\+\+"):
        toolchain.compiler()
    monkeypatch.setenv("CXX", "nothing++")
    with pytest.raises(ToolError, match=r"nothing\+\+ is needed to compile C\+\+.*set CXX"):
        toolchain.compiler()
    monkeypatch.setenv("CXX", "ccache g++")
    with pytest.raises(ToolError, match="one program"):
        toolchain.compiler()


def test_the_version_is_the_first_line_the_compiler_prints(programs):
    program = add_recorder(programs, "g++")
    assert toolchain.compiler_version() == "line one"
    assert record_of(program)["arguments"] == ["--version"]


def test_arguments_folder_input_and_environment_reach_the_program(programs, tmp_path):
    program = add_recorder(programs, "tool")
    folder = tmp_path / "a folder"
    folder.mkdir()
    arguments = [program, "a b", "$HOME", "*", Path("x/y"), ""]
    completed = run(arguments, folder, stdin=b"events", environment={"MARKER": "yes"})
    assert record_of(program) == {
        "arguments": ["a b", "$HOME", "*", "x/y", ""],
        "folder": str(folder),
        "marker": "yes",
        "stdin": "events",
    }
    assert completed.stdout == b"line one\nline two\n"
    assert completed.text == "line one\nline two\n"
    assert completed.stderr == "careful\n"
    assert completed.returncode == 0
    assert 0 < completed.seconds < 30


def test_without_input_the_program_reads_an_empty_one(programs, tmp_path):
    program = add_recorder(programs, "tool")
    run([program], tmp_path)
    assert record_of(program)["stdin"] == ""


def test_a_failure_shows_the_last_lines_of_stderr(programs, tmp_path):
    text = "#!/bin/sh\ni=0; while [ $i -lt 50 ]; do echo line $i >&2; i=$((i+1)); done; exit 3\n"
    program = add_program(programs, "tool", text)
    with pytest.raises(ToolError, match="testing: tool failed with code 3") as error:
        run([program], tmp_path)
    lines = [line.strip() for line in str(error.value).splitlines()]
    assert lines[-1] == "line 49"
    assert "line 30" in lines
    assert "line 29" not in lines


def test_a_failure_without_stderr_shows_stdout(programs, tmp_path):
    program = add_program(programs, "tool", "#!/bin/sh\necho what went wrong; exit 1\n")
    with pytest.raises(ToolError, match="what went wrong"):
        run([program], tmp_path)


def test_a_silent_failure_is_told_to_be_silent(programs, tmp_path):
    program = add_program(programs, "tool", "#!/bin/sh\nexit 1\n")
    with pytest.raises(ToolError, match="failed with code 1, and wrote nothing"):
        run([program], tmp_path)


def test_other_return_codes_can_be_accepted(programs, tmp_path):
    program = add_recorder(programs, "lint", code=1)
    assert run([program], tmp_path, accepted=(0, 1)).returncode == 1
    with pytest.raises(ToolError, match="failed with code 1"):
        run([program], tmp_path)


def test_death_by_a_signal_names_the_signal(programs, tmp_path):
    program = add_program(programs, "tool", "#!/bin/sh\nkill -9 $$\n")
    with pytest.raises(ToolError, match="tool was killed by SIGKILL"):
        run([program], tmp_path)


def test_output_that_is_no_text_is_kept_as_bytes(programs, tmp_path):
    program = add_program(programs, "tool", "#!/bin/sh\nprintf '\\377\\000\\n'\n")
    completed = run([program], tmp_path)
    assert completed.stdout == b"\xff\x00\n"
    assert completed.text == "�\x00\n"


@pytest.mark.parametrize(
    "arguments", [["/nowhere/tool"], ["relative-nothing"], [], ["tool", "null\0byte"]]
)
def test_what_cannot_be_started_is_a_tool_error(programs, tmp_path, arguments):
    with pytest.raises(ToolError, match="testing: cannot start"):
        run(arguments, tmp_path)


def test_a_missing_folder_is_a_tool_error(programs, tmp_path):
    with pytest.raises(ToolError, match=r"cannot start .* in .*nowhere"):
        run([add_recorder(programs, "tool")], tmp_path / "nowhere")


FORKING = """#!/bin/sh
/bin/sleep 60 &
echo $! > {pids}
echo $$ >> {pids}
echo still working >&2
wait
"""


def processes_of(pids: Path) -> list[int]:
    return [int(line) for line in pids.read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_dead(pids: list[int]) -> bool:
    deadline = time.monotonic() + 5
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(map(is_alive, pids))


def test_a_program_past_its_limit_is_killed_with_all_it_started(programs, tmp_path):
    pids = tmp_path / "pids"
    program = add_program(programs, "slow", FORKING.format(pids=pids))
    started = time.monotonic()
    with pytest.raises(ToolError, match=r"slow was stopped after 0\.5 s:\n  still working"):
        run([program], tmp_path, timeout_s=0.5)
    assert time.monotonic() - started < 10
    assert len(processes_of(pids)) == 2
    assert wait_until_dead(processes_of(pids))


@pytest.fixture
def interruptible():
    """Take interrupts even where the shell started the tests with them ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_kills_the_program_with_all_it_started(programs, tmp_path):
    pids = tmp_path / "pids"
    program = add_program(programs, "slow", FORKING.format(pids=pids))

    def interrupt_when_running():
        while not pids.exists() or len(processes_of(pids)) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt_when_running)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        run([program], tmp_path)
    interrupter.join()
    assert wait_until_dead(processes_of(pids))
