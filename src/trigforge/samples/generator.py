"""Pythia 8 (arXiv:2203.11601), started the same way for every process: 13.6 TeV, seeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pythia8mc

from trigforge.core.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

ENERGY_GEV = 13_600
LARGEST_SEED = 900_000_000
"""Pythia takes seeds from 1 to this."""
NEUTRINO_IDS = (12, 14, 16)
MAX_ABS_ETA = 5.0
"""Reach of the calorimeters; particles beyond it are dropped."""


def start(settings: Iterable[str], seed: int, what: str, hook: Any = None) -> Any:
    """Return a Pythia that is ready to collide protons.

    ``what`` names the process if it cannot start. ``hook`` is one of Pythia's user hooks; the
    caller keeps it alive.

    Raises:
        ToolError: if Pythia refuses a setting or cannot start.
    """
    pythia = pythia8mc.Pythia("", False)
    for line in (*_settings(seed), *settings):
        if not pythia.readString(line):
            msg = f"Pythia refuses the setting {line!r}; another version than 8.317?"
            raise ToolError(msg)
    if hook is not None:
        pythia.setUserHooksPtr(hook)
    if not pythia.init():
        msg = f"Pythia cannot start with {what}"
        raise ToolError(msg)
    return pythia


def next_batch(pythia: Any, n_events: int, process: str) -> Any:
    """Return the next events as Pythia's awkward array, at most ``n_events``.

    Raises:
        ToolError: if Pythia makes none.
    """
    batch = pythia.nextBatch(n_events)
    if len(batch) == 0:
        msg = f"Pythia made none of {n_events} events with {process}"
        raise ToolError(msg)
    return batch


def is_visible(record: Any) -> Any:
    """Mark final particles inside the calorimeters, neutrinos left out."""
    pt = np.hypot(record.p.px, record.p.py)
    inside = abs(record.p.pz) < np.sinh(MAX_ABS_ETA) * pt
    return (record.status > 0) & inside & ~has_id(record, NEUTRINO_IDS)


def has_id(record: Any, ids: tuple[int, ...]) -> Any:
    """Mark particles of some species, given as absolute PDG codes."""
    code = abs(record.id)
    mask = code == ids[0]
    for known in ids[1:]:
        mask = mask | (code == known)
    return mask


def _settings(seed: int) -> tuple[str, ...]:
    """Decay what does not live for 10 mm; kaons and pions stay."""
    return (
        "Print:quiet = on",
        "Random:setSeed = on",
        f"Random:seed = {seed}",
        f"Beams:eCM = {ENERGY_GEV}",
        "ParticleDecays:limitTau0 = on",
        "ParticleDecays:tau0Max = 10",
    )
