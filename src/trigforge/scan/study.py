"""The study of a scan: Optuna's, in a database that outlives whoever works on it.

Trials are asked for and told here, by any number of clients at once. One whose client died
stops giving signs of life; whoever notices lets it run again.
"""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import optuna
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from trigforge.core.config.scan import PHYSICS, ScanSpec
from trigforge.core.errors import InputError, ToolError
from trigforge.core.store import key_of
from trigforge.scan.space import Space

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


SIGN_OF_LIFE_S = 5
GRACE_S = 60
"""A trial that gave no sign of life for so long is lost and runs again."""
ALIVE = "alive"
"""Note of a trial: when its client last said that it is under way, in seconds since 1970."""
_ENDED = (TrialState.COMPLETE, TrialState.FAIL)


@dataclass(slots=True)
class Study:
    """The study of a space; ``running`` are the trials that this client answers for."""

    space: Space
    optuna: optuna.Study
    grace_s: int = GRACE_S
    running: dict[int, Trial] = field(default_factory=dict)
    beaten_s: float = 0.0

    def ask(self) -> Trial | None:
        """Return the next trial, its parameters proposed; None if enough are under way.

        The proposals follow from the seed, the trial's number and the trials that have ended.
        """
        self.revive()
        n_taken = len(self.ended()) + len(self._trials(TrialState.RUNNING))
        if n_taken >= self.space.scan.n_trials:
            return None
        with _quiet():
            self.optuna.sampler = _sampler(self.space.scan, len(self._trials()))
            trial = self.optuna.ask(self.space.distributions)
        self.running[trial.number] = trial
        return trial

    def tell(self, trial: Trial, figures: Mapping[str, float], **notes: Any) -> None:
        """Record what a trial is worth and what it takes."""
        values = [figures[name] for name in self.space.scan.objectives]
        self._end(trial, values, {**notes, "figures": dict(figures)})

    def tell_failed(self, trial: Trial, error: str, **notes: Any) -> None:
        """Record why a trial failed."""
        self._end(trial, None, {**notes, "error": error})

    def give_up(self) -> None:
        """Let the trials under way run again, here or elsewhere: their client goes away."""
        for trial in list(self.running.values()):
            self._lose(trial)
        self.running.clear()

    def watch(self) -> None:
        """Give a sign of life for every trial under way, every few seconds."""
        now = time.time()
        if now - self.beaten_s >= SIGN_OF_LIFE_S:
            self.beaten_s = now
            for trial in self.running.values():
                with suppress(UpdateFinishedTrialError):
                    trial.set_user_attr(ALIVE, now)

    def revive(self) -> None:
        """Let trials run again whose client gave no sign of life for long."""
        for trial in self._trials(TrialState.RUNNING):
            if trial.number not in self.running and _silent_s(trial) > self.grace_s:
                self._lose(trial)

    def ended(self) -> list[FrozenTrial]:
        """Return the trials that ended with figures or an error; lost ones ran again."""
        return [
            trial
            for trial in self._trials(*_ENDED)
            if trial.state is TrialState.COMPLETE or "error" in trial.user_attrs
        ]

    def n_lost(self) -> int:
        """Return how many trials were lost with their client; they ran again."""
        return len(self._trials(TrialState.FAIL)) - sum(
            trial.state is TrialState.FAIL for trial in self.ended()
        )

    def front(self) -> set[int]:
        """Return the numbers of the trials that no other beats, of equal designs the first."""
        first: dict[str, int] = {}
        for trial in sorted(self.optuna.best_trials, key=lambda trial: trial.number):
            first.setdefault(key_of(trial.params), trial.number)
        return set(first.values())

    def note(self, name: str, value: Any = None) -> Any:
        """Keep something about the study, or return what was kept (None: nothing)."""
        if value is not None:
            self.optuna.set_user_attr(name, value)
        return self.optuna.user_attrs.get(name)

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.optuna.get_trials(deepcopy=False, states=states or None)

    def _lose(self, trial: Trial | FrozenTrial) -> None:
        """End a trial without a result and queue it anew, unless another client just has."""
        with suppress(UpdateFinishedTrialError, ValueError):
            self.optuna.tell(trial.number, state=TrialState.FAIL)
            self.optuna.enqueue_trial(trial.params)

    def _end(self, trial: Trial, values: Sequence[float] | None, notes: Mapping[str, Any]) -> None:
        """Tell Optuna; a trial that others believed dead is theirs, and runs again there."""
        self.running.pop(trial.number, None)
        state = TrialState.FAIL if values is None else TrialState.COMPLETE
        with suppress(UpdateFinishedTrialError):
            for name, note in notes.items():
                trial.set_user_attr(name, note)
            self.optuna.tell(trial, values, state=state)


def open_study(space: Space, url: str, *, grace_s: int = GRACE_S) -> Study:
    """Open the study of a space, new or begun before, wherever the database is.

    Raises:
        ToolError: if the database cannot be reached.
        InputError: if the study there is that of another scan.
    """
    scan = space.scan
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with _quiet():
            waits = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
            storage = RDBStorage(url, engine_kwargs=waits)
            found = optuna.create_study(
                storage=storage,
                study_name=scan.name,
                directions=[
                    "maximize" if name in PHYSICS else "minimize" for name in scan.objectives
                ],
                load_if_exists=True,
            )
    except (SQLAlchemyError, ImportError, ValueError) as error:
        hint = (
            "; `pip install trigforge[postgresql]` brings the driver" if "postgres" in url else ""
        )
        msg = f"the study {scan.name} cannot be kept at {url}: {error}{hint}"
        raise ToolError(msg) from error
    study = Study(space=space, optuna=found, grace_s=grace_s)
    digest = scan_digest(space)
    if study.note("scan") not in {None, digest}:
        msg = (
            f"{url} holds a study {scan.name} of another base, space or objectives; give this scan "
            "another name, or another --storage"
        )
        raise InputError(msg)
    if study.note("scan") is None:
        study.note("scan", digest)
        of_base = space.of_base()
        if of_base is not None:
            found.enqueue_trial(of_base)
    return study


def scan_digest(space: Space) -> str:
    """Return the digest of all that makes trials comparable: more of them may be wanted."""
    return key_of(
        [
            space.scan.model_dump(mode="json", exclude={"n_trials", "front"}),
            space.base.model_dump(mode="json"),
        ]
    )


def _silent_s(trial: FrozenTrial) -> float:
    """Return for how many seconds nobody has said that a trial is under way."""
    started = trial.datetime_start or datetime.now()
    return time.time() - max(started.timestamp(), float(trial.user_attrs.get(ALIVE, 0.0)))


def _sampler(scan: ScanSpec, n_trials: int) -> optuna.samplers.BaseSampler:
    """Return who proposes: made anew for each trial, so that a resumed scan goes on alike."""
    seed = (scan.seed * 1_000_003 + n_trials) % 2**32
    match scan.sampler:
        case "random":
            return optuna.samplers.RandomSampler(seed=seed)
        case "nsga2":
            return optuna.samplers.NSGAIISampler(seed=seed)
        case _:
            return optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=scan.n_random, multivariate=True, constant_liar=True
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna warns at every turn that proposing parameters jointly is experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield
