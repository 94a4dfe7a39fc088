"""A small network, files of events for it, and what its scores are by the evaluator."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trigforge import emulation, evaluation
from trigforge.core.config import Trigger
from trigforge.core.fixed_point import parse_format
from trigforge.core.graph import Dense, FixedPointGraph, Input
from trigforge.core.link import LinkEncoding
from trigforge.core.records import RawTensor
from trigforge.core.store import Store
from trigforge.emulation import Campaign, Request, Scorer, Selection, Work
from trigforge.physics import Discriminant

INPUTS, OUTPUTS = ("pt", "eta", "mass"), ("quark", "top")
LINK = parse_format("fixed<12,12>")
ENCODING = LinkEncoding(format=LINK, lsb_exponents=(-2, -8, 0))
WEIGHT, SCORE = parse_format("fixed<6,6>"), parse_format("fixed<14,14>")
TRIGGER = Trigger(background_classes=("quark",), background_rate_khz=100.0, rate_khz=5.0)
TOP = Discriminant(1, (0,))
"""What tells a top from a quark."""


def graph() -> FixedPointGraph:
    """Return a dense layer: outputs of three inputs that wrap around now and then."""
    features = Input(name="features", inputs=(), shape=(3,), format=LINK)
    dense = Dense(
        name="scores",
        inputs=("features",),
        shape=(2,),
        weights=np.array([[3, -2], [1, 5], [-4, 2]]),
        weight_format=WEIGHT,
        bias=np.array([7, -9]),
        bias_format=WEIGHT,
        accumulator=SCORE,
        format=SCORE,
    )
    return FixedPointGraph(name="small", nodes=(features, dense))


def scorer(store: Store) -> Scorer:
    return Scorer.of(graph(), ENCODING, (INPUTS, OUTPUTS), store)


def selection(*thresholds: int) -> Selection:
    return Selection(trigger=TRIGGER, signals=(("top", TOP),), names=OUTPUTS, thresholds=thresholds)


def values(n_events: int, seed: int = 0) -> np.ndarray:
    """Return events as physicists have them, some of them off the ends of the link."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n_events, 3)) * (200, 3, 900)).astype(np.float32)


def exact(events: np.ndarray) -> np.ndarray:
    """Return raw scores of values, or of raw integers, by the evaluator."""
    raw = ENCODING.encode(events) if events.dtype.kind == "f" else events.astype(np.int64)
    return evaluation.evaluate(graph(), RawTensor(format=LINK, raw=raw)).outputs.raw


def write(path: Path, events: np.ndarray, row_group: int = 100, **columns: Any) -> Path:
    """Write events, a column an input, and a number of each that is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {name: events[:, index] for index, name in enumerate(INPUTS)}
        | {"event": np.arange(len(events)), **columns}
    )
    pq.write_table(table, path, row_group_size=row_group)
    return path


def scores_in(path: Path) -> np.ndarray:
    table = pq.read_table(path)
    return np.stack([table[name].to_numpy() for name in OUTPUTS], axis=1)


def all_scores(folder: Path, stem: str) -> np.ndarray:
    """Return the scores of a file of events, chunk after chunk."""
    return np.concatenate([scores_in(path) for path in sorted(folder.glob(f"{stem}.*.parquet"))])


def prepared(
    scoring: Scorer, folder: Path, *patterns: Any, selected: Selection | None = None, **request: Any
) -> Campaign:
    wanted = Request(patterns=tuple(map(str, patterns)), folder=folder, **request)
    return emulation.prepare(scoring, wanted, selected)


def alone(campaign: Campaign) -> dict[str, str]:
    """Score all chunks in this process, without a cluster; return their digests."""
    campaign.work.results.open(campaign.plan)
    return {chunk.name: campaign.work(chunk).digest for chunk in campaign.plan.chunks}


@dataclass(frozen=True, kw_only=True)
class DyingWork(Work):
    """Work whose process is killed in mid-chunk, as often as ``n_deaths`` says."""

    name: str
    """Of the chunk."""
    marks: Path
    n_deaths: int = 1

    def _scores(self, chunk, events):
        for number, entry in enumerate(Work._scores(self, chunk, events)):
            if number == 0 and chunk.name == self.name:
                self._die(self.results.folder)
            yield entry

    def _die(self, folder: Path) -> None:
        for death in range(self.n_deaths):
            mark = self.marks / f"{self.name}.{death}"
            if not mark.exists():
                mark.write_text("\n".join(path.name for path in folder.iterdir()))
                os.kill(os.getpid(), signal.SIGKILL)
