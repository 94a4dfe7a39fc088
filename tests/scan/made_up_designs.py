"""Designs that are appraised without training; workers import this, so it imports little."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from trigforge.scan.tasks import Evaluated, Task


def figures_of(task: Task) -> dict[str, float]:
    """Make figures up: wide weights are accurate, everything costs."""
    spec: Any = task.spec
    width = spec.quantization.parsed("weight_format").width
    units = spec.network.hidden_units[0]
    kept = 1 - spec.training.sparsity
    return {
        "accuracy": round(0.9 - 0.5 / (width * units * (0.2 + kept)), 6),
        "ebops": float(width * units * kept * 100),
    }


def evaluate(task: Task) -> Evaluated:
    """Stand in for ``designs.evaluate``: no training, what the spec says decides."""
    return Evaluated(figures=figures_of(task), seconds=0.1)


def refuse_wide(task: Task) -> Evaluated:
    """Fail in two ways: as a design does, and as a worker does that meets the unexpected."""
    spec: Any = task.spec
    width = spec.quantization.parsed("weight_format").width
    if task.number >= 0 and width == 8:
        return Evaluated(seconds=0.1, error="eight bits are refused")
    if task.number >= 0 and width == 7:
        message = "seven bits are a bug"
        raise ZeroDivisionError(message)
    return evaluate(task)


def die_once(task: Task) -> Evaluated:
    """Kill the worker the first time that trial 2 comes along."""
    mark = task.workspace.reports.parent / "died"
    if task.number == 2 and not mark.exists():
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return evaluate(task)


def refused_by_its_spec(task: Task) -> Evaluated:
    """Let the cheapest half of the designs be less than their own spec allows."""
    figures = figures_of(task)
    not_met = ("loss of accuracy: +0.0120, allowed 0.01",) if figures["ebops"] < 2000 else ()
    return Evaluated(figures=figures, not_met=not_met, seconds=0.1)


def slowly(task: Task) -> Evaluated:
    """Take a while, so that a scan can be killed in its midst."""
    time.sleep(0.5)
    return evaluate(task)
