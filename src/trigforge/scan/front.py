"""The best designs as specs with their trained networks, as ``trigforge run`` takes them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import yaml

from trigforge.core.errors import InputError
from trigforge.core.files import refusing_os_errors, write_file
from trigforge.core.records import Progress, no_progress
from trigforge.pipeline import appraisal
from trigforge.scan import results

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import AnySpec
    from trigforge.core.scanning import ScanResult, Trial
    from trigforge.scan.search import Search


def write(
    search: Search, n_wanted: int, out: Path, progress: Progress = no_progress
) -> tuple[tuple[Trial, Path], ...]:
    """Write the best designs of a scan, the best first; return them with their specs.

    Raises:
        InputError: if no trial has come to a result yet, or a spec would be written over
            another one.
    """
    result = results.collect(search.space, search.study)
    if not result.best:
        msg = f"{search.space.where}: no trial has come to a result yet; run the scan first"
        raise InputError(msg)
    parameters = {trial.number: trial.params for trial in search.study.ended()}
    written = []
    chosen = result.best[:n_wanted]
    for n_done, number in enumerate(chosen):
        progress("writing designs", n_done, len(chosen))
        task = search.task(number, parameters[number])
        path = out / f"{task.spec.name}.yaml"
        _write_spec(path, task.spec, _comment(result, number))
        model = out / task.spec.name
        appraisal.deliver(task.spec, task.workspace, model, task.sample_file)
        sample = task.sample_file or task.workspace.sample_file
        if sample.exists():
            with refusing_os_errors(f"copying {sample}"):
                shutil.copyfile(sample, model / task.workspace.sample_file.name)
        written.append((result.trial(number), path))
    progress("writing designs", len(chosen), len(chosen))
    return tuple(written)


def _comment(result: ScanResult, number: int) -> str:
    figures = result.trial(number).figures
    said = ", ".join(f"{name} {figures[name]:.6g}" for name in result.objectives)
    base = ", ".join(f"{result.base[name]:.6g}" for name in result.objectives)
    return f"# Trial {number} of the scan {result.name}: {said} ({result.base_name}: {base})."


def _write_spec(path: Path, spec: AnySpec, comment: str) -> None:
    """Write a spec, unless another one has its name."""
    data = spec.model_dump(mode="json", exclude_unset=True)
    text = f"{comment}\n{yaml.safe_dump(data, sort_keys=False, width=100)}"
    if path.exists() and path.read_text() != text:
        msg = f"{path} is there and is another spec; name another folder by --out"
        raise InputError(msg)
    write_file(path, text)
