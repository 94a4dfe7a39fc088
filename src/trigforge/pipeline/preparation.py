"""Events, networks and stimulus: found where they are, made where they are not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from trigforge import training
from trigforge.core.config import ImportedSpec
from trigforge.core.errors import InputError
from trigforge.core.store import key_of
from trigforge.pipeline.imported import open_imported
from trigforge.pipeline.job import Job, Prepared
from trigforge.pipeline.source import TrainedSource
from trigforge.samples import archive, generation

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import Spec
    from trigforge.core.records import Sample
    from trigforge.training import TrainedNetworks

GENERATED = "generated"


def prepare(job: Job, sample_file: Path | None) -> Prepared:
    """Return a network and its stimulus; ``sample_file`` holds events instead of its own."""
    source = (
        open_imported(job, job.spec, sample_file)
        if isinstance(job.spec, ImportedSpec)
        else open_trained(job, job.spec, sample_file)
    )
    with job.stage("stimulus"):
        return Prepared(source=source, stimulus=source.stimulus())


def open_trained(job: Job, spec: Spec, sample_file: Path | None) -> TrainedSource:
    """Return the networks that a spec describes, trained if they are not there."""
    with job.stage("samples") as stage:
        sample, origin = open_sample(job, spec, sample_file)
        stage.cached = origin != GENERATED
    with job.stage("training") as stage:
        networks, stage.cached = obtain_networks(job, spec, sample)
    return TrainedSource(spec=spec, sample=sample, origin=origin, networks=networks)


def open_sample(job: Job, spec: Spec, sample_file: Path | None) -> tuple[Sample, str]:
    """Return the events and where they came from: a given file, the shipped one, Pythia.

    The shipped sample is used if it was drawn from the very sample the spec describes;
    otherwise the events are generated (and kept in the store).

    Raises:
        InputError: if the file is no sample, or one of another kind.
    """
    wanted, workspace = spec.sample, job.workspace
    if sample_file is not None:
        sample = archive.load(sample_file)
        if sample.kind != wanted.kind:
            msg = f"{sample_file} holds {sample.kind}, but the spec asks for {wanted.kind}"
            raise InputError(msg)
        return sample, str(sample_file)
    shipped = workspace.sample_file
    if shipped.exists():
        sample = archive.load(shipped)
        provenance = sample.read_provenance()
        if provenance.get("spec") == wanted.model_dump(mode="json"):
            return sample, f"{shipped}, part of {provenance.get('n_generated')} events"
    sample = generation.generate(
        wanted, workspace.store, n_processes=os.cpu_count() or 1, progress=job.progress
    )
    return sample, GENERATED


def obtain_networks(job: Job, spec: Spec, sample: Sample) -> tuple[TrainedNetworks, bool]:
    """Return the networks, and whether they were there already: shipped, or trained before."""
    workspace = job.workspace
    shipped = training.find(workspace.model, spec, sample)
    if shipped is not None:
        return shipped, True
    digest = key_of([training.training_key(spec), training.content_digest(sample)])
    found = workspace.store.find("training", digest)
    if found is not None:
        networks = training.find(found, spec, sample)
        if networks is not None:
            return networks, True
    baseline = _obtain_baseline(job, spec, sample)
    networks = training.train_quantised(spec, sample, baseline, progress=job.progress)
    with workspace.store.adding("training", digest) as folder:
        training.save(networks, folder)
    return networks, False


def _obtain_baseline(job: Job, spec: Spec, sample: Sample) -> training.Baseline:
    """Return the float network of a spec, which another quantisation may have trained before."""
    shipped = training.find_shipped_baseline(job.workspace.model, spec, sample)
    if shipped is not None:
        return shipped
    store = job.workspace.store
    digest = key_of([training.baseline_key(spec), training.content_digest(sample)])
    found = store.find("baseline", digest)
    if found is not None:
        return training.find_baseline(found, spec, sample)
    baseline = training.train_baseline(spec, sample, progress=job.progress)
    with store.adding("baseline", digest) as folder:
        training.save_baseline(baseline, folder)
    return baseline
