"""Samples of simulated events: generated in chunks, kept, split and assembled.

``SampleSpec -> Sample``. An interrupted generation goes on where it stopped: finished
chunks are in the store. The same spec gives the same bytes, whatever the number of
processes.
"""

from __future__ import annotations

import bisect
import json
from concurrent.futures import as_completed
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge import __version__
from trigforge.core.errors import InputError
from trigforge.core.records import Sample, no_progress
from trigforge.core.store import Store, key_of
from trigforge.samples import chunks, workers
from trigforge.samples.recipes import recipe_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    from trigforge.core.config import SampleSpec
    from trigforge.core.records import Progress
    from trigforge.samples.chunks import ChunkKey, Recipe


def sample_digest(spec: SampleSpec) -> str:
    """Return the digest of all that a sample depends on: spec, seed, generators."""
    generators = recipe_of(spec).generator_versions()
    return key_of({"spec": spec.model_dump(mode="json"), "generators": generators})


def generate(
    spec: SampleSpec,
    store: Store,
    *,
    n_processes: int,
    progress: Progress = no_progress,
) -> Sample:
    """Return the sample of a spec, making the chunks that are not in the store.

    Examples are shuffled; what comes from one collision is on one side of the split.

    Raises:
        SpecError: if no hard process reaches the transverse momenta asked for.
        InputError: if ``n_processes`` is less than one.
        ToolError: if Pythia fails or a process dies.
        StoreError: if a kept chunk is corrupt or a new one cannot be written.
    """
    workers.check_number(n_processes)
    recipe = recipe_of(spec)
    recipe.check()
    _make_missing(recipe, store, n_processes, progress)
    return _assemble(recipe, store)


def subset(sample: Sample, n_train: int, n_test: int) -> Sample:
    """Return the first examples of every class, as even as the classes allow.

    Where a class has too few, the others give more. Digest and provenance stay
    those of the full sample.

    Raises:
        InputError: if the sample has too few examples.
    """
    train = _first_of_each(sample, "train", n_train)
    test = _first_of_each(sample, "test", n_test)
    variables = sample.variables_test
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
        variable_names=sample.variable_names,
        variables_test=None if variables is None else variables[test],
    )


def _make_missing(recipe: Recipe, store: Store, n_processes: int, progress: Progress) -> None:
    keys = recipe.chunk_keys()
    missing = [key for key in keys if chunks.find_chunk(recipe, key, store) is None]
    total = sum(key.n_examples for key in keys)
    done = total - sum(key.n_examples for key in missing)
    progress(recipe.unit, done, total)
    with closing(_worked_off(recipe, store, missing, n_processes)) as finished:
        for key in finished:
            done += key.n_examples
            progress(recipe.unit, done, total)


def _worked_off(
    recipe: Recipe, store: Store, missing: Sequence[ChunkKey], n_processes: int
) -> Generator[ChunkKey]:
    """Make and keep chunks, yielding each when it is done."""
    if n_processes == 1 or len(missing) < 2:
        for key in missing:
            chunks.store_chunk(recipe, key, store)
            yield key
        return
    with workers.working(min(n_processes, len(missing)), recipe.unit, store.root) as pool:
        tasks = {pool.submit(chunks.store_chunk, recipe, key, store): key for key in missing}
        for task in as_completed(tasks):
            task.result()
            yield tasks[task]


def _assemble(recipe: Recipe, store: Store) -> Sample:
    spec = recipe.spec
    arrays = _gather(recipe, store)
    random = np.random.Generator(np.random.PCG64(spec.seed))
    for side in ("train", "test"):
        order = random.permutation(len(arrays[f"y_{side}"]))
        own = [name for name in arrays if name.endswith(side)]
        arrays |= {name: arrays[name][order] for name in own}
    return Sample(
        kind=spec.kind,
        digest=sample_digest(spec),
        feature_names=recipe.feature_names,
        class_names=spec.class_names,
        provenance=_provenance(recipe, arrays),
        variable_names=recipe.variable_names,
        x_train=arrays["x_train"],
        y_train=arrays["y_train"],
        x_test=arrays["x_test"],
        y_test=arrays["y_test"],
        variables_test=arrays.get("variables_test"),
    )


def _gather(recipe: Recipe, store: Store) -> dict[str, NDArray[Any]]:
    """Return the arrays of a sample in the order of its chunks."""
    parts: dict[str, list[NDArray[Any]]] = {
        name: [] for name in ("x_train", "y_train", "x_test", "y_test")
    }
    for key in recipe.chunk_keys():
        chunk = chunks.read_chunk(recipe, key, store)
        test = recipe.held_out(key, chunk.event)
        label = recipe.spec.class_names.index(key.class_name)
        for side, mask in (("train", ~test), ("test", test)):
            parts[f"x_{side}"].append(chunk.x[mask])
            parts[f"y_{side}"].append(np.full(np.count_nonzero(mask), label, np.int64))
        if chunk.variables is not None:
            parts.setdefault("variables_test", []).append(chunk.variables[test])
    return {name: np.concatenate(values) for name, values in parts.items()}


def _provenance(recipe: Recipe, arrays: dict[str, NDArray[Any]]) -> str:
    """Say in JSON how the full sample was made and how large it is."""
    spec = recipe.spec
    counts = {
        side: {
            name: int(np.count_nonzero(arrays[f"y_{side}"] == label))
            for label, name in enumerate(spec.class_names)
        }
        for side in ("train", "test")
    }
    record = {
        "spec": spec.model_dump(mode="json"),
        "digest": sample_digest(spec),
        "generators": {**recipe.generator_versions(), "trigforge": __version__},
        "seed": spec.seed,
        **recipe.chunk_size(),
        "n_generated": sum(sum(side.values()) for side in counts.values()),
        "counts": counts,
    }
    return json.dumps(record, sort_keys=True)


def _first_of_each(sample: Sample, side: str, n_wanted: int) -> NDArray[np.int64]:
    labels = getattr(sample, f"y_{side}")
    present, n_present = np.unique(labels, return_counts=True)
    if n_present.sum() < n_wanted:
        msg = f"sample {sample.kind}: {n_present.sum()} {side} examples, {n_wanted} wanted"
        raise InputError(msg)
    chosen = [
        np.flatnonzero(labels == label)[:n_own]
        for label, n_own in zip(present, _even_shares(n_present.tolist(), n_wanted), strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def _even_shares(limits: Sequence[int], n_wanted: int) -> list[int]:
    """Share a number out evenly; who has less than an even share gives all, the others more."""

    def given(level: int) -> int:
        return sum(min(limit, level) for limit in limits)

    level = bisect.bisect_right(range(n_wanted + 1), n_wanted, key=given) - 1
    shares = [min(limit, level) for limit in limits]
    larger = [place for place, limit in enumerate(limits) if limit > level]
    for place in larger[: n_wanted - sum(shares)]:
        shares[place] += 1
    return shares
