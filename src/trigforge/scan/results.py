"""What a scan has found so far: ``Study -> ScanResult``."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial, TrialState

from trigforge import __version__
from trigforge.core import scanning
from trigforge.core.scanning import ScanResult

if TYPE_CHECKING:
    from trigforge.scan.space import Space
    from trigforge.scan.study import Study

BASE = -1
"""The number of the base among the designs."""


def collect(space: Space, study: Study) -> ScanResult:
    """Return everything that is known of the trials of a scan."""
    front = study.front()
    return ScanResult(
        name=space.scan.name,
        base_name=space.base.name,
        objectives=space.scan.objectives,
        base=study.note("base") or {},
        base_measured=_measured(study, BASE)[0],
        trials=tuple(_trial(space, study, trial, front) for trial in study.ended()),
        best=tuple(_by_merit(space, study)),
        largest_loss=space.scan.front.largest_loss,
        n_wanted=space.scan.n_trials,
        n_lost=study.n_lost(),
        provenance=(
            ("trigforge", __version__),
            ("python", platform.python_version()),
            ("machine", f"{platform.machine()}, {os.cpu_count()} cores"),
            ("optuna", version("optuna")),
            ("distributed", version("distributed")),
            ("scan", space.where),
            ("base", str(space.base_file)),
            ("seed", str(space.scan.seed)),
        ),
    )


def to_synthesise(space: Space, study: Study) -> list[int]:
    """Choose designs of the front: the best, then spread over the costs; before them the base."""
    most, ranked = space.scan.front.synthesise, _by_merit(space, study)
    if most == 0:
        return []
    figures, cost = _figures(study), space.scan.objectives[1]
    rest = sorted(ranked[1:], key=lambda number: figures[number][cost])
    n_more = min(most - 1, len(rest))
    places = [round(index * (len(rest) - 1) / max(1, n_more - 1)) for index in range(n_more)]
    return [BASE, ranked[0], *(rest[place] for place in dict.fromkeys(places))]


def measured_key(number: int) -> str:
    """Return under which name the counts of a design are kept in the study."""
    return "measured base" if number == BASE else f"measured {number}"


def _measured(study: Study, number: int) -> tuple[dict[str, float], str]:
    """Return what synthesis counted, and why it did not."""
    counts = dict(study.note(measured_key(number)) or {})
    error = counts.pop("error", "")
    return counts, str(error)


def _trial(space: Space, study: Study, trial: FrozenTrial, front: set[int]) -> scanning.Trial:
    done = trial.state is TrialState.COMPLETE
    notes = trial.user_attrs
    measured, error = _measured(study, trial.number)
    return scanning.Trial(
        number=trial.number,
        name=space.design_name(trial.number),
        state=scanning.TrialState.DONE if done else scanning.TrialState.FAILED,
        parameters={
            name: space.scan.space[name].value(number) for name, number in trial.params.items()
        },
        figures=notes.get("figures", {}),
        measured=measured,
        not_met=tuple(notes.get("not_met", ())),
        seconds=notes.get("seconds"),
        worker=notes.get("worker", ""),
        error=notes.get("error", "") or error,
        on_front=trial.number in front,
    )


def _by_merit(space: Space, study: Study) -> list[int]:
    """Return the front: what may be delivered by cost, then the others by their loss."""
    worth, cost = space.scan.objectives[:2]
    base, trials = study.note("base") or {}, {trial.number: trial for trial in study.ended()}

    def merit(number: int) -> tuple[bool, float]:
        notes = trials[number].user_attrs
        figures = notes["figures"]
        loss = base.get(worth, 0.0) - figures[worth]
        refused = loss > space.scan.front.largest_loss or bool(notes.get("not_met"))
        return (True, loss) if refused else (False, figures[cost])

    return sorted(study.front(), key=merit)


def _figures(study: Study) -> dict[int, dict[str, float]]:
    return {trial.number: trial.user_attrs.get("figures", {}) for trial in study.ended()}
