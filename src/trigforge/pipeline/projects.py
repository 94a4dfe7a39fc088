"""HLS projects: one for each io type, written once for the same input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge import comparison, training
from trigforge.conversion import convert, project
from trigforge.core.store import key_of
from trigforge.networks import reference

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import Hardware, IoType, Spec
    from trigforge.core.records import HlsProject
    from trigforge.core.workspace import Workspace
    from trigforge.pipeline.job import Job, Prepared

N_VECTORS = 256
"""Held-out events that a project carries along with the corners of the grid."""


def ordered_io_types(spec: Spec) -> tuple[IoType, ...]:
    """Return the io types to verify, each once, that of the hardware first."""
    return tuple(dict.fromkeys((spec.hardware.io_type, *spec.acceptance.io_types)))


def project_folder(spec: Spec, io_type: IoType, workspace: Workspace) -> Path:
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


def project_digest(spec: Spec, hardware: Hardware, ready: Prepared) -> str:
    """Return the digest of all that decides the files of a project."""
    return key_of(
        [
            project.project_key(spec.name, hardware),
            spec.network.model_dump(mode="json"),
            spec.quantization.model_dump(mode="json"),
            training.quantised_weights_digest(ready.networks),
            comparison.digest(ready.stimulus),
        ]
    )


def write_project(spec: Spec, hardware: Hardware, ready: Prepared, folder: Path) -> HlsProject:
    """Convert the quantised network and write it, with vectors to check it by."""
    model, link = ready.networks.quantised_model, ready.networks.encoding.format
    conversion = convert.convert(model, spec.name, link, hardware)
    vectors = comparison.project_vectors(ready.stimulus, N_VECTORS)
    expected = reference.evaluate(model, vectors, conversion.output)
    files = project.assemble(conversion, vectors, expected)
    return project.write(folder, files, project_digest(spec, hardware, ready))
