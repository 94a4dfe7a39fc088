"""The shipped models, ready to be simulated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trigforge import pipeline
from trigforge.core.records import HlsProject, RawTensor
from trigforge.core.spec_file import read_spec
from trigforge.core.store import Store
from trigforge.core.workspace import Workspace

MODELS = Path(__file__).parents[1] / "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyModel:
    """A shipped model with its projects written, and nothing compiled."""

    name: str
    job: pipeline.Job
    ready: pipeline.Prepared
    projects: tuple[HlsProject, ...]

    def inputs(self, n_events: int) -> RawTensor:
        """Return held-out events as raw integers, repeated as often as needed."""
        held_out = self.ready.stimulus.inputs.raw[: self.ready.stimulus.blocks[0][1]]
        repeats = -(-n_events // len(held_out))
        raw = held_out.repeat(repeats, axis=0)[:n_events]
        return RawTensor(format=self.ready.stimulus.inputs.format, raw=raw)


def open_all(folder: Path) -> list[ReadyModel]:
    """Prepare every shipped model in a workspace of its own."""
    return [open_one(path, folder) for path in sorted(MODELS.glob("*.yaml"))]


def open_one(spec_file: Path, folder: Path) -> ReadyModel:
    spec = read_spec(spec_file)
    workspace = Workspace(
        model=MODELS / spec.name,
        projects=folder / "hls_projects",
        firmware=folder / "firmware",
        reports=folder / "reports",
        store=Store(folder / "store"),
    )
    job = pipeline.Job(spec=spec, workspace=workspace)
    ready = pipeline.prepare(job, None)
    projects = pipeline.write_projects(job, ready)
    return ReadyModel(name=spec.name, job=job, ready=ready, projects=projects)
