import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gate_work
import pytest

from trigforge.core.records import no_progress
from trigforge.gate.isolation import run_apart

KILLED = "its process was killed by SIGKILL; perhaps for want of memory: fewer at a time"


def run(*tasks, n_jobs=2, progress=no_progress):
    return run_apart(
        gate_work.work, [(task, task) for task in tasks], n_jobs=n_jobs, progress=progress
    )


def is_gone(pid: int, *, within_seconds: float) -> bool:
    limit = time.monotonic() + within_seconds
    while time.monotonic() < limit:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_results_come_in_the_order_of_the_tasks_however_many_run_at_a_time():
    ended = run("triple 1", "triple 2", "triple 3", n_jobs=3)
    assert [entry.result for entry in ended] == [3, 6, 9]
    assert all(entry.seconds > 0 and not entry.fault for entry in ended)
    assert run() == ()


@pytest.mark.parametrize(
    ("task", "fault"),
    [
        ("raise", "its process ended with code 1: KeyError: 'no such key'"),
        ("exit", "its process ended with code 3: giving up"),
        ("segfault", "its process was killed by SIGSEGV"),
        (
            "memory",
            KILLED,
        ),
    ],
)
def test_a_process_that_dies_takes_no_other_with_it(task, fault):
    first, died, last = run("triple 1", task, "triple 2", n_jobs=1)
    assert (first.result, last.result) == (3, 6)
    assert (died.result, died.fault) == (None, fault)


def test_the_last_words_of_a_process_that_died_are_kept(capfd):
    (died,) = run("segfault")
    assert "Fatal Python error: Segmentation fault" in died.output
    assert "gate_work.py" in died.output
    assert capfd.readouterr() == ("", "")


def test_what_a_process_writes_stays_off_the_screen(capfd):
    (ended,) = run("chatter")
    assert (ended.result, ended.output) == ("chatter", "")
    assert capfd.readouterr() == ("", "")


def test_progress_names_the_task():
    steps = []
    run("triple 4", progress=lambda *step: steps.append(step))
    assert steps == [
        ("triple 4", 0, 1),
        ("triple 4: triple", 0, 1),
        ("triple 4: triple", 1, 1),
        ("triple 4", 1, 1),
    ]


def test_a_process_that_cannot_be_started_is_a_fault(monkeypatch):
    def refuse(*_):
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("trigforge.gate.isolation._start", refuse)
    (ended,) = run("triple 1")
    assert ended.fault == "its process could not be started: Resource temporarily unavailable"


def test_an_interrupt_ends_all_processes(tmp_path):
    files = [tmp_path / "first", tmp_path / "second"]

    def interrupt(what, done, total):
        limit = time.monotonic() + 30
        while ": sleep" in what and time.monotonic() < limit:
            time.sleep(0.05)
            if all(path.exists() and path.read_text() for path in files):
                raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(*(f"sleep {path}" for path in files), progress=interrupt)
    assert time.monotonic() - started < 30
    assert all(is_gone(int(path.read_text()), within_seconds=1) for path in files)


@pytest.mark.parametrize("interrupts", ["default_int_handler", "SIG_IGN"])
def test_no_process_outlives_its_parent(tmp_path, interrupts):
    pid_file = tmp_path / "pid"
    program = (
        "import signal, gate_work\n"
        "from trigforge.core.records import no_progress\n"
        "from trigforge.gate.isolation import run_apart\n"
        "if __name__ == '__main__':\n"
        f"    signal.signal(signal.SIGINT, signal.{interrupts})\n"
        f"    tasks = [('sleep', 'sleep {pid_file}')]\n"
        "    run_apart(gate_work.work, tasks, n_jobs=1, progress=no_progress)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(program)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, script], env=environment)
    limit = time.monotonic() + 30
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < limit:
        time.sleep(0.05)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert is_gone(int(pid_file.read_text()), within_seconds=10)
