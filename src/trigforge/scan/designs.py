"""What workers do with a design: ``Task -> Evaluated``."""

from __future__ import annotations

import time

import keras

from trigforge.core.errors import TrigforgeError
from trigforge.pipeline import appraisal
from trigforge.scan.tasks import Evaluated, Task


def evaluate(task: Task) -> Evaluated:
    """Train a design and appraise it; what is wrong with it is a result, too."""
    started = time.perf_counter()
    try:
        found = appraisal.appraise(
            task.spec, task.workspace, task.wanted, sample_file=task.sample_file
        )
    except TrigforgeError as error:
        return Evaluated(seconds=_since(started), error=str(error))
    finally:
        keras.backend.clear_session()
    return Evaluated(
        figures=found.figures,
        not_met=found.not_met,
        stages=found.seconds,
        seconds=_since(started),
    )


def synthesise(task: Task) -> Evaluated:
    """Count what logic synthesis makes of a design."""
    started = time.perf_counter()
    try:
        found = appraisal.measure_resources(task.spec, task.workspace, sample_file=task.sample_file)
    except TrigforgeError as error:
        return Evaluated(seconds=_since(started), error=str(error))
    finally:
        keras.backend.clear_session()
    counts = {name: float(getattr(found, name)) for name in ("lut", "ff", "dsp", "bram_18k")}
    return Evaluated(figures=counts, seconds=_since(started))


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)
