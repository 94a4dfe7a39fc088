"""Events, networks and stimulus: found where they are, made where they are not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from trigforge import comparison, training
from trigforge.core.errors import InputError
from trigforge.core.records import RawTensor, Sample, Stimulus
from trigforge.core.store import key_of
from trigforge.pipeline.job import Job, Prepared
from trigforge.samples import archive, generation

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import Spec
    from trigforge.training import TrainedNetworks

GENERATED = "generated"


def prepare(job: Job, sample_file: Path | None) -> Prepared:
    """Return events, networks and stimulus."""
    with job.stage("samples") as stage:
        sample, origin = open_sample(job, sample_file)
        stage.cached = origin != GENERATED
    with job.stage("training") as stage:
        networks, stage.cached = obtain_networks(job, sample)
    with job.stage("stimulus"):
        stimulus = make_stimulus(job.spec, sample, networks)
    return Prepared(sample=sample, origin=origin, networks=networks, stimulus=stimulus)


def open_sample(job: Job, sample_file: Path | None) -> tuple[Sample, str]:
    """Return the events and where they came from: a given file, the shipped one, Pythia.

    The shipped sample is used if it was drawn from the very sample the spec describes;
    otherwise the events are generated (and kept in the store).

    Raises:
        InputError: if the file is no sample, or one of another kind.
    """
    wanted, workspace = job.spec.sample, job.workspace
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
            return sample, f"{shipped}, part of {provenance.get('n_generated')} jets"
    sample = generation.generate(
        wanted, workspace.store, n_processes=os.cpu_count() or 1, progress=job.progress
    )
    return sample, GENERATED


def obtain_networks(job: Job, sample: Sample) -> tuple[TrainedNetworks, bool]:
    """Return the networks, and whether they were there already: shipped, or trained before."""
    spec, workspace = job.spec, job.workspace
    shipped = training.find(workspace.model, spec, sample)
    if shipped is not None:
        return shipped, True
    digest = key_of([training.training_key(spec), training.content_digest(sample)])
    found = workspace.store.find("training", digest)
    if found is not None:
        networks = training.find(found, spec, sample)
        if networks is not None:
            return networks, True
    networks = training.train(spec, sample, progress=job.progress)
    with workspace.store.adding("training", digest) as folder:
        training.save(networks, folder)
    return networks, False


def make_stimulus(spec: Spec, sample: Sample, networks: TrainedNetworks) -> Stimulus:
    """Return the whole held-out sample on the link's grid, and the grid's corners."""
    raw = networks.encoding.encode(sample.x_test).reshape(len(sample.x_test), -1)
    held_out = RawTensor(format=networks.encoding.format, raw=raw)
    return comparison.make_stimulus(held_out, seed=spec.training.seed)
