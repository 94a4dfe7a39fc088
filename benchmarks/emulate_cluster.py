"""Files of events scored by one worker and by two: reading, scoring, counting, writing.

Held-out jets are drawn again and again, so that columns compress no better than real ones do.
The files are in the system's cache when they are read; no cluster's start is timed.
"""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shipped_models

from trigforge import cluster, emulation, pipeline
from trigforge.core.records import no_progress
from trigforge.emulation import Request
from trigforge.pipeline.emulation import EmulationRequest

if TYPE_CHECKING:
    from pathlib import Path

    from distributed import Client

    from trigforge.emulation import Campaign

MODEL = "jet_tagger"
N_FILES, FILE_EVENTS = 16, 1 << 21
"""In row groups of 2^20 events: two chunks a file."""
MANY_EVENTS, FEW_EVENTS, N_EVENTS = 1 << 12, 1 << 20, 1 << 21
"""Of a chunk, twice, and in all: 512 chunks and 2 of the same file, in small row groups."""
REPEATS = 3


def measure(folder: Path) -> dict[str, float]:
    model = shipped_models.open_one(shipped_models.MODELS / f"{MODEL}.yaml", folder)
    write(model, folder / "large", N_FILES, (FILE_EVENTS, FEW_EVENTS))
    write(model, folder / "small", 1, (N_EVENTS, MANY_EVENTS))
    large = campaign_of(model, folder / "large", FEW_EVENTS)
    many, few = (campaign_of(model, folder / "small", n) for n in (MANY_EVENTS, FEW_EVENTS))
    with cluster.connect(None, n_workers=1) as one, cluster.connect(None, n_workers=2) as two:
        timed(one, few)  # workers import, and load the compiled network
        timed(two, many)
        runs = {"one": (one, large), "two": (two, large), "many": (one, many), "few": (one, few)}
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(REPEATS):
            for name, (client, campaign) in runs.items():
                times[name].append(timed(client, campaign))
    best = {name: min(taken) for name, taken in times.items()}
    n_more = len(many.plan.chunks) - len(few.plan.chunks)
    return {
        "emulate_two_workers_vs_one": best["one"] / best["two"],
        "emulate_events_per_s_two_workers": large.plan.n_events / best["two"],
        "emulate_overhead_ms_a_chunk": 1000 * (best["many"] - best["few"]) / n_more,
    }


def write(
    model: shipped_models.ReadyModel, folder: Path, n_files: int, sizes: tuple[int, int]
) -> None:
    """Write files of events, all with the same ones; ``sizes`` are of a file, of a row group."""
    n_events, row_group = sizes
    sample = model.ready.source.sample
    chosen = np.random.default_rng(0).integers(0, len(sample.x_test), n_events)
    columns = np.ascontiguousarray(sample.x_test[chosen].T)
    table = pa.table(dict(zip(sample.feature_names, columns, strict=True)))
    folder.mkdir()
    first, *others = (folder / f"events_{index}.parquet" for index in range(n_files))
    pq.write_table(table, first, row_group_size=row_group, use_dictionary=False)
    for path in others:
        shutil.copyfile(first, path)


def campaign_of(model: shipped_models.ReadyModel, events: Path, chunk_events: int) -> Campaign:
    """Prepare to score all files of a folder, with the thresholds of the model's trigger."""
    request = EmulationRequest(
        events=Request(
            patterns=(str(events / "*.parquet"),),
            folder=events.with_name("scores"),
            chunk_events=chunk_events,
        )
    )
    spec, workspace = model.job.spec, model.job.workspace
    return pipeline.emulation.prepare_files(spec, workspace, request, no_progress)


def timed(client: Client, campaign: Campaign) -> float:
    """Return how long all chunks take; the results are removed, and that is not timed."""
    started = time.perf_counter()
    found = emulation.run(client, campaign)
    taken = time.perf_counter() - started
    if not found.complete or found.n_found:
        msg = f"{len(found.summary.missing)} chunks are missing, {found.n_found} were there before"
        raise RuntimeError(msg)
    shutil.rmtree(found.file.parent)
    return taken
