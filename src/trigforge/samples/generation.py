"""Samples of simulated jets: generated in chunks, kept, split and assembled.

``SampleSpec -> Sample``. An interrupted generation goes on where it stopped: finished
chunks are in the store. The same spec gives the same bytes, whatever the number of
processes.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from trigforge import __version__
from trigforge.core.errors import InputError, ToolError
from trigforge.core.records import Sample, no_progress
from trigforge.core.store import Store, key_of
from trigforge.samples import chunks
from trigforge.samples.features import FEATURE_NAMES

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    from trigforge.core.config import SampleSpec
    from trigforge.core.records import Progress
    from trigforge.samples.chunks import ChunkKey

GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def sample_digest(spec: SampleSpec) -> str:
    """Return the digest of all that a sample depends on: spec, seed, generators."""
    return key_of({"spec": spec.model_dump(mode="json"), "generators": chunks.generator_versions()})


def generate(
    spec: SampleSpec,
    store: Store,
    *,
    n_processes: int,
    progress: Progress = no_progress,
) -> Sample:
    """Return the sample of a spec, making the chunks that are not in the store.

    Examples are shuffled; all jets of a collision are on the same side of the split.

    Raises:
        SpecError: if no hard process reaches the transverse momenta asked for.
        InputError: if ``n_processes`` is less than one.
        ToolError: if Pythia fails or a process dies.
        StoreError: if a kept chunk is corrupt or a new one cannot be written.
    """
    if n_processes < 1:
        msg = f"n_processes is {n_processes}; at least 1 is needed"
        raise InputError(msg)
    chunks.check_reachable(spec)
    _make_missing(spec, store, n_processes, progress)
    return _assemble(spec, store)


def subset(sample: Sample, n_train: int, n_test: int) -> Sample:
    """Return the first examples of every class, as even as the classes allow.

    Digest and provenance stay those of the full sample.

    Raises:
        InputError: if a class has too few examples.
    """
    train = _first_of_each(sample, "train", n_train)
    test = _first_of_each(sample, "test", n_test)
    return Sample(
        kind=sample.kind,
        digest=sample.digest,
        feature_names=sample.feature_names,
        class_names=sample.class_names,
        x_train=sample.x_train[train],
        y_train=sample.y_train[train],
        x_test=sample.x_test[test],
        y_test=sample.y_test[test],
        provenance=sample.provenance,
    )


def held_out(spec: SampleSpec, key: ChunkKey, event: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which collisions belong to the test set: ``(n,)`` of ``(n,)`` event indices.

    A hash of seed, class, chunk and event decides, so a jet's side depends neither on how
    many jets are made nor on its neighbours. Mixing: SplitMix64 (doi:10.1145/2660193.2660195).
    """
    start = np.uint64(chunks.digest_number("split", spec.seed, key.class_name, key.index))
    mixed = start + GOLDEN_GAMMA * (event.astype(np.uint64) + np.uint64(1))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return np.asarray(mixed / 2.0**64 < spec.test_fraction)


def _make_missing(spec: SampleSpec, store: Store, n_processes: int, progress: Progress) -> None:
    keys = chunks.keys_of(spec)
    missing = [key for key in keys if chunks.find_chunk(spec, key, store) is None]
    total = sum(key.n_jets for key in keys)
    done = total - sum(key.n_jets for key in missing)
    progress("jets", done, total)
    with closing(_worked_off(spec, store, missing, n_processes)) as finished:
        for key in finished:
            done += key.n_jets
            progress("jets", done, total)


def _worked_off(
    spec: SampleSpec, store: Store, missing: Sequence[ChunkKey], n_processes: int
) -> Generator[ChunkKey]:
    """Make and keep chunks, yielding each when it is done."""
    if n_processes == 1 or len(missing) < 2:
        for key in missing:
            chunks.store_chunk(spec, key, store)
            yield key
        return
    pool = ProcessPoolExecutor(
        min(n_processes, len(missing)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare_worker,
    )
    try:
        tasks = {pool.submit(chunks.store_chunk, spec, key, store): key for key in missing}
        for task in as_completed(tasks):
            task.result()
            yield tasks[task]
    except BrokenProcessPool as error:
        msg = (
            "a process that made jets died, perhaps for want of memory; finished chunks are "
            f"kept in {store.root}: run again, with fewer processes than {n_processes}"
        )
        raise ToolError(msg) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare_worker() -> None:
    """Leave interrupts to the parent, which waits for running chunks; never outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _assemble(spec: SampleSpec, store: Store) -> Sample:
    parts: dict[str, list[NDArray[np.generic]]] = {
        name: [] for name in ("x_train", "y_train", "x_test", "y_test")
    }
    class_names = chunks.CLASS_NAMES[spec.kind]
    for key in chunks.keys_of(spec):
        chunk = chunks.read_chunk(spec, key, store)
        test = held_out(spec, key, chunk.event)
        label = class_names.index(key.class_name)
        for side, mask in (("train", ~test), ("test", test)):
            parts[f"x_{side}"].append(chunk.x[mask])
            parts[f"y_{side}"].append(np.full(np.count_nonzero(mask), label, np.int64))
    arrays = {name: np.concatenate(values) for name, values in parts.items()}
    random = np.random.Generator(np.random.PCG64(spec.seed))
    for side in ("train", "test"):
        order = random.permutation(len(arrays[f"y_{side}"]))
        arrays |= {f"{axis}_{side}": arrays[f"{axis}_{side}"][order] for axis in "xy"}
    return Sample(
        kind=spec.kind,
        digest=sample_digest(spec),
        feature_names=feature_names(spec),
        class_names=class_names,
        provenance=_provenance(spec, arrays),
        **arrays,
    )


def feature_names(spec: SampleSpec) -> tuple[str, ...]:
    """Name the features of an example; an image has one kind of value, its pixels."""
    return FEATURE_NAMES if spec.kind == "jets_hlf" else ("transverse_energy",)


def _provenance(spec: SampleSpec, arrays: dict[str, NDArray[np.generic]]) -> str:
    """Say in JSON how the full sample was made and how large it is."""
    counts = {
        side: {
            name: int(np.count_nonzero(arrays[f"y_{side}"] == label))
            for label, name in enumerate(chunks.CLASS_NAMES[spec.kind])
        }
        for side in ("train", "test")
    }
    record = {
        "spec": spec.model_dump(mode="json"),
        "digest": sample_digest(spec),
        "generators": {**chunks.generator_versions(), "trigforge": __version__},
        "seed": spec.seed,
        "chunk_jets": chunks.CHUNK_JETS,
        "n_generated": sum(sum(side.values()) for side in counts.values()),
        "counts": counts,
    }
    return json.dumps(record, sort_keys=True)


def _first_of_each(sample: Sample, side: str, n_wanted: int) -> NDArray[np.int64]:
    labels = getattr(sample, f"y_{side}")
    n_classes = len(sample.class_names)
    chosen = []
    for label, name in enumerate(sample.class_names):
        n_own = n_wanted // n_classes + (label < n_wanted % n_classes)
        own = np.flatnonzero(labels == label)
        if len(own) < n_own:
            msg = f"sample {sample.kind}: {len(own)} {side} examples of {name}, {n_own} wanted"
            raise InputError(msg)
        chosen.append(own[:n_own])
    return np.sort(np.concatenate(chosen))
