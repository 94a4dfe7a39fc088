"""HLS projects: one for each io type, written once for the same input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge import comparison, evaluation
from trigforge.conversion import project
from trigforge.core.records import no_progress
from trigforge.core.store import key_of

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import AnySpec, Hardware, IoType
    from trigforge.core.records import HlsProject
    from trigforge.core.workspace import Workspace
    from trigforge.pipeline.job import Job, Prepared

N_VECTORS = 256
"""Held-out events that a project carries along with the corners of the grid."""


def ordered_io_types(spec: AnySpec) -> tuple[IoType, ...]:
    """Return the io types to verify, each once, that of the hardware first."""
    return tuple(dict.fromkeys((spec.hardware.io_type, *spec.acceptance.io_types)))


def project_folder(spec: AnySpec, io_type: IoType, workspace: Workspace) -> Path:
    """Return where a project is written: the delivered one bears the model's name alone."""
    delivered = io_type == spec.hardware.io_type
    return workspace.projects / (spec.name if delivered else f"{spec.name}_{io_type}")


def write_projects(job: Job, ready: Prepared) -> tuple[HlsProject, ...]:
    """Write the project of each io type, or take the one written from the same input."""
    projects = []
    for io_type in ordered_io_types(job.spec):
        hardware = job.spec.hardware.model_copy(update={"io_type": io_type})
        folder = project_folder(job.spec, io_type, job.workspace)
        with job.stage(f"conversion {io_type}") as stage:
            found = project.find(folder, project_digest(job.spec, hardware, ready))
            stage.cached = found is not None
            projects.append(found or write_project(job.spec, hardware, ready, folder))
    return tuple(projects)


def project_digest(spec: AnySpec, hardware: Hardware, ready: Prepared) -> str:
    """Return the digest of all that decides the files of a project."""
    return key_of(
        [
            project.project_key(spec.name, hardware),
            ready.source.description(),
            comparison.digest(ready.stimulus),
        ]
    )


def write_project(spec: AnySpec, hardware: Hardware, ready: Prepared, folder: Path) -> HlsProject:
    """Convert the quantised network and write it, with vectors to check it by."""
    conversion = ready.source.convert(spec.name, hardware)
    vectors = comparison.project_vectors(ready.stimulus, N_VECTORS)
    expected = ready.source.exact(vectors, conversion.output, no_progress)
    if expected is None:
        expected = evaluation.evaluate(conversion.arithmetic, vectors).outputs
    files = project.assemble(conversion, vectors, expected)
    return project.write(folder, files, project_digest(spec, hardware, ready))
