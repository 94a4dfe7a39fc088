"""Work for processes of their own: well done, refused, crashed. Imported there by name."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

from trigforge.core.records import Check
from trigforge.core.verdict import SpecVerdict


def work(task, progress):
    """Do what the task says: ``"triple 4"``, ``"raise"``, ``"exit"``, ``"segfault"`` ..."""
    what, _, argument = task.partition(" ")
    progress(what, 0, 1)
    if what == "raise":
        msg = "no such key"
        raise KeyError(msg)
    if what == "exit":
        sys.stderr.write("giving up\n")
        os._exit(3)
    if what == "segfault":
        ctypes.string_at(0)
    if what == "memory":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "sleep":
        Path(argument).write_text(str(os.getpid()))
        time.sleep(60)
    if what == "chatter":
        os.write(1, b"to standard output\n")
        os.write(2, b"to standard error\n")
    progress(what, 1, 1)
    return 3 * int(argument) if what == "triple" else what


def judge(candidate, progress):
    """Return a verdict by the name of the model; that of ``dies`` is none."""
    name = candidate.spec.name
    if name == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    met = name != "fails"
    return SpecVerdict(
        name=name,
        spec=candidate.path,
        checks=(Check(name="bit-exact", used="", allowed="0", met=met),),
        unknown=("latency: not simulated",) if name == "unknown" else (),
    )
