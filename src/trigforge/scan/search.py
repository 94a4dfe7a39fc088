"""Try designs until as many are tried as are wanted: Optuna proposes, Dask's workers evaluate."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trigforge import cluster
from trigforge.core.errors import InputError, SpecError
from trigforge.core.records import Progress, no_progress
from trigforge.core.workspace import Workspace
from trigforge.scan import designs, results
from trigforge.scan.results import BASE, measured_key
from trigforge.scan.space import Space
from trigforge.scan.study import GRACE_S, Study, open_study
from trigforge.scan.tasks import Evaluated, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from distributed import Client

    from trigforge.core.scanning import ScanResult

PAUSE_S = 2.0
WORKERS_IMPORT = designs.__name__


@dataclass(frozen=True, kw_only=True)
class Search:
    """A space, its folder (of a shared file system, if workers are elsewhere), and its study.

    ``workspace`` is that of the base; ``sample_file`` holds events instead of its own.
    """

    space: Space
    workspace: Workspace
    storage: str | None = None
    """Database URL as SQLAlchemy writes it; None: an SQLite file in the folder."""
    sample_file: Path | None = None
    grace_s: int = GRACE_S

    @property
    def folder(self) -> Path:
        """Where everything about the scan is written."""
        return self.workspace.reports / self.space.scan.name

    @cached_property
    def study(self) -> Study:
        """The study, opened or begun."""
        self.folder.mkdir(parents=True, exist_ok=True)
        url = self.storage or f"sqlite:///{self.folder.absolute() / 'study.db'}"
        return open_study(self.space, url, grace_s=self.grace_s)

    def task(self, number: int, parameters: dict[str, Any] | None = None) -> Task:
        """Return a design as workers get it; without parameters the base as it is.

        Raises:
            SpecError: if the parameters make no valid spec.
        """
        space, workspace = self.space, self.workspace
        spec = (
            space.base if parameters is None else space.spec(space.design_name(number), parameters)
        )
        return Task(
            number=number,
            spec=spec,
            workspace=Workspace(
                model=workspace.model.absolute(),
                projects=self.folder.absolute() / "projects",
                firmware=self.folder.absolute() / "firmware",
                reports=self.folder.absolute() / "reports",
                store=type(workspace.store)(workspace.store.root.absolute()),
            ),
            wanted=self.space.scan.objectives,
            sample_file=None if self.sample_file is None else self.sample_file.absolute(),
        )


def run(
    search: Search,
    *,
    scheduler: str | None = None,
    n_workers: int | None = None,
    progress: Progress = no_progress,
) -> ScanResult:
    """Go on with a scan until all its trials have ended and its front is synthesised.

    Raises:
        SpecError: if the base itself cannot be appraised as the objectives want it.
        InputError: if no trial came to a result.
        ToolError: if no scheduler or database answers.
    """
    study = search.study
    with cluster.connect(scheduler, n_workers=n_workers, module=WORKERS_IMPORT) as client:
        _appraise_base(search, client, progress)
        try:
            _try_designs(search, client, progress)
        finally:
            study.give_up()
        if not study.front():
            errors = sorted({trial.user_attrs.get("error", "") for trial in study.ended()})
            msg = f"{search.space.where}: no trial came to a result: {'; '.join(errors[:3])}"
            raise InputError(msg)
        _synthesise_front(search, client, progress)
    return results.collect(search.space, study)


def _appraise_base(search: Search, client: Client, progress: Progress) -> None:
    """Find out what the base is worth, as it is shipped."""
    study = search.study
    if study.note("base") is not None:
        return
    progress("base", 0, 1)
    for done in cluster.stream(client, designs.evaluate, iter([search.task(BASE)])):
        found = _found(done)
        if found.error:
            msg = f"{search.space.base_file}: the base cannot be appraised: {found.error}"
            raise SpecError(msg)
        study.note("base", dict(found.figures))
    progress("base", 1, 1)


def _try_designs(search: Search, client: Client, progress: Progress) -> None:
    """Evaluate what the study proposes until all trials have ended, here or elsewhere."""
    study, n_wanted = search.study, search.space.scan.n_trials
    progress("trials", min(len(study.ended()), n_wanted), n_wanted)
    while len(study.ended()) < n_wanted:
        tasks = _proposed(search)
        with closing(cluster.stream(client, designs.evaluate, tasks, watch=study.watch)) as ended:
            for done in ended:
                trial, found = study.running[done.item.number], _found(done)
                notes = {"seconds": found.seconds, "worker": done.worker}
                if found.error:
                    study.tell_failed(trial, found.error, **notes)
                else:
                    stages = dict(found.stages)
                    study.tell(trial, found.figures, stages=stages, not_met=found.not_met, **notes)
                progress("trials", min(len(study.ended()), n_wanted), n_wanted)
        if len(study.ended()) < n_wanted:
            time.sleep(PAUSE_S)  # others have the rest under way, or died over it


def _proposed(search: Search) -> Iterator[Task]:
    """Yield designs as they are asked for; one that is no valid spec has failed already."""
    study = search.study
    while (trial := study.ask()) is not None:
        try:
            task = search.task(trial.number, trial.params)
        except SpecError as error:
            study.tell_failed(trial, str(error))
            continue
        yield task


def _synthesise_front(search: Search, client: Client, progress: Progress) -> None:
    """Count the logic of the base and of some designs of the front, each once."""
    study = search.study
    wanted = results.to_synthesise(search.space, study)
    tasks = [
        task for task in _tasks(search, wanted) if study.note(measured_key(task.number)) is None
    ]
    progress("synthesising the front", 0, len(tasks))
    ended = cluster.stream(client, designs.synthesise, iter(tasks))
    for n_done, done in enumerate(ended, start=1):
        found = _found(done)
        study.note(
            measured_key(done.item.number),
            {"error": found.error} if found.error else dict(found.figures),
        )
        progress("synthesising the front", n_done, len(tasks))


def _tasks(search: Search, numbers: Iterable[int]) -> Iterator[Task]:
    by_number: dict[int, dict[str, Any]] = {
        trial.number: trial.params for trial in search.study.ended()
    }
    for number in numbers:
        yield search.task(number, by_number.get(number))


def _found(done: cluster.Done[Task, Evaluated]) -> Evaluated:
    """Return what a worker found; an error that it did not expect is one of this design."""
    if done.result is not None:
        return done.result
    return Evaluated(seconds=0.0, error=f"{type(done.error).__name__}: {done.error}")
