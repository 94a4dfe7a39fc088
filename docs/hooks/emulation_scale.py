"""How long many events take on many workers, worked out from the benchmarks' figures.

A page asks for it by ``<!-- emulation at scale -->``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results.json"
PLACE = "<!-- emulation at scale -->"
SPEED, OVERHEAD = "emulate_events_per_s_two_workers", "emulate_overhead_ms_a_chunk"
RATIO = "emulate_two_workers_vs_one"
N_EVENTS = 10**9
WORKERS = (2, 10, 100)
MEASURED_EVENTS = 1 << 20
"""Of a chunk in the benchmark."""
CHUNKS = {"2^20": MEASURED_EVENTS, "2^22": 1 << 22}
INPUT_BYTES, OUTPUT_BYTES = 61, 8.3
"""Of an event of the jet tagger in Parquet: 16 floats (snappy), five packed scores."""


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the arithmetic where a page asks for it."""
    if PLACE not in markdown:
        return markdown
    return markdown.replace(PLACE, render(json.loads(RESULTS.read_text(encoding="utf-8"))))


def render(figures: Mapping[str, float]) -> str:
    """Return the arithmetic in words and as a table."""
    if not {SPEED, OVERHEAD, RATIO} <= figures.keys():
        return "Not measured yet: `.venv/bin/python benchmarks/run.py emulate_cluster`."
    return "\n".join(_lines(figures[SPEED], figures[OVERHEAD] / 1000, figures[RATIO]))


def _lines(speed: float, overhead_s: float, ratio: float) -> Iterator[str]:
    each_s = 2 / speed - overhead_s / MEASURED_EVENTS
    yield (
        f"Two workers score {speed:,.0f} events of the jet tagger a second on the machine of the "
        f"[benchmarks](benchmarks.md), Parquet to Parquet ({ratio:.2f} times what one does), in "
        f"chunks of 2^20 events. A chunk adds {1000 * overhead_s:.3g} ms, mostly of the client "
        f"and the scheduler. An event then takes a worker 2 / {speed:,.0f} s - "
        f"{overhead_s:.3g} s / 2^20 = {1e9 * each_s:,.0f} ns. With `w` workers and chunks of `c` "
        "events, if all that a chunk adds is done one after another by the client:"
    )
    yield ""
    yield f"    T = 10^9 x {1e9 * each_s:,.0f} ns / w  +  (10^9 / c) x {1000 * overhead_s:.3g} ms"
    yield ""
    yield "| workers | " + " | ".join(f"T, chunks of {name}" for name in CHUNKS) + " | read |"
    yield "|---:|" + "---:|" * (len(CHUNKS) + 1)
    for workers in WORKERS:
        times = [_time_s(each_s, overhead_s, workers, chunk) for chunk in CHUNKS.values()]
        read = N_EVENTS * INPUT_BYTES / min(times) / 1e9
        yield f"| {workers} | " + " | ".join(map(_text, times)) + f" | {read:.2g} GB/s |"
    yield ""
    yield (
        f"An event is {INPUT_BYTES} bytes of inputs and {OUTPUT_BYTES} of scores: 10^9 events are "
        f"{N_EVENTS * INPUT_BYTES / 1e9:.0f} GB and {N_EVENTS * OUTPUT_BYTES / 1e9:.1f} GB. The "
        "last column is what the file system must give for the shorter time; one that gives 1 GB/s "
        f"needs {N_EVENTS * INPUT_BYTES / 1e9:.0f} s, however many workers there are. The "
        "benchmark's files were in the memory of its machine."
    )


def _time_s(each_s: float, overhead_s: float, workers: int, chunk: int) -> float:
    return N_EVENTS * each_s / workers + N_EVENTS / chunk * overhead_s


def _text(time_s: float) -> str:
    return f"{time_s / 60:.1f} min" if time_s >= 120 else f"{time_s:.0f} s"
