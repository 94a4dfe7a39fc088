"""Score any number of events on many machines: Parquet files in, Parquet files out.

``Scorer`` is the emulated firmware as a function that can be sent to a worker. ``chunks`` cuts
files of events into pieces, ``work`` does a piece where it is sent, ``campaign`` hands them out
and adds up what comes back. Nothing here loads a training library: a worker starts in a second.
"""

from trigforge.emulation.campaign import Campaign, prepare, run
from trigforge.emulation.chunks import CHUNK_EVENTS, Plan, Request
from trigforge.emulation.emulated import Accepted, AcceptedAt, Emulated, Missing, Summary
from trigforge.emulation.results import Results
from trigforge.emulation.scorer import Scorer
from trigforge.emulation.selection import Selection
from trigforge.emulation.work import Work

__all__ = [
    "CHUNK_EVENTS",
    "Accepted",
    "AcceptedAt",
    "Campaign",
    "Emulated",
    "Missing",
    "Plan",
    "Request",
    "Results",
    "Scorer",
    "Selection",
    "Summary",
    "Work",
    "prepare",
    "run",
]
