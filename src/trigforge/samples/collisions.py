"""Proton-proton collisions at 13.6 TeV from Pythia 8 (arXiv:2203.11601).

``(Process, window, seed) -> batches of Events``. Each class of jets has its own hard
process; the window is that of the hard process' transverse momentum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import pythia8mc

from trigforge.core.errors import SpecError, unknown_name
from trigforge.samples import generator

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH_EVENTS = 100
"""Events asked of Pythia at once; part of the algorithm, since jets are cut off per batch."""
RESONANCE_GEV = 2_000
"""Mass of the scalar or graviton that decays to two bosons."""
RESONANCE_WIDTH_GEV = 20

SCALAR_ID = 25
GRAVITON_ID = 5_100_039
PARTON_IDS = (1, 2, 3, 4, 5, 21)
HARD_OUTGOING = -23
"""Pythia's status of the outgoing partons of the hard process."""

_HADRONIC_BOSONS = (
    "23:onMode = off",
    "23:onIfAny = 1 2 3 4 5",
    "24:onMode = off",
    "24:onIfAny = 1 2 3 4 5",
)
_SCALAR = (
    "HiggsSM:gg2H = on",
    f"{SCALAR_ID}:m0 = {RESONANCE_GEV}",
    f"{SCALAR_ID}:mWidth = {RESONANCE_WIDTH_GEV}",
    f"{SCALAR_ID}:doForceWidth = on",
    f"{SCALAR_ID}:mMin = {RESONANCE_GEV - 10 * RESONANCE_WIDTH_GEV}",
    f"{SCALAR_ID}:mMax = {RESONANCE_GEV + 10 * RESONANCE_WIDTH_GEV}",
    f"{SCALAR_ID}:onMode = off",
)
_GRAVITON = (
    "ExtraDimensionsG*:gg2G* = on",
    "ExtraDimensionsG*:ffbar2G* = on",
    "ExtraDimensionsG*:VLVL = on",
    f"{GRAVITON_ID}:m0 = {RESONANCE_GEV}",
    f"{GRAVITON_ID}:onMode = off",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A hard process: Pythia's settings and the particles its jets come from.

    ``partner_ids`` are absolute PDG codes of the outgoing particles a jet is matched to.
    ``resonant`` processes take the window on the bosons' transverse momentum, since
    Pythia's phase-space cuts do not act on the decay of a resonance.
    """

    settings: tuple[str, ...]
    partner_ids: tuple[int, ...]
    resonant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Beam:
    """How collisions are made, whatever the process: window in GeV, underlying event."""

    window_gev: tuple[float, float]
    multi_parton_interactions: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Collisions as awkward arrays ``n_events * var * {px, py, pz, E}``, in GeV.

    ``particles`` are the visible ones of the final state; ``partners`` the outgoing
    particles of the hard process that a jet of the wanted class comes from.
    """

    particles: Any
    partners: Any


_PLAIN = {
    "light_quark": Process(
        settings=(
            "HardQCD:qq2qq = on",
            "HardQCD:gg2qqbar = on",
            "HardQCD:qqbar2qqbarNew = on",
            "HardQCD:nQuarkNew = 3",
        ),
        partner_ids=(1, 2, 3),
    ),
    "gluon": Process(
        settings=("HardQCD:gg2gg = on", "HardQCD:qqbar2gg = on"),
        partner_ids=(21,),
    ),
    "top": Process(
        settings=("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", *_HADRONIC_BOSONS),
        partner_ids=(6,),
    ),
    "qcd": Process(settings=("HardQCD:all = on",), partner_ids=PARTON_IDS),
}
_BOSONS = {
    ("w", "scalar"): Process(
        settings=(*_SCALAR, f"{SCALAR_ID}:onIfMatch = 24 -24", *_HADRONIC_BOSONS),
        partner_ids=(24,),
        resonant=True,
    ),
    ("z", "scalar"): Process(
        settings=(*_SCALAR, f"{SCALAR_ID}:onIfMatch = 23 23", *_HADRONIC_BOSONS),
        partner_ids=(23,),
        resonant=True,
    ),
    ("w", "graviton"): Process(
        settings=(*_GRAVITON, f"{GRAVITON_ID}:onIfMatch = 24 -24", *_HADRONIC_BOSONS),
        partner_ids=(24,),
        resonant=True,
    ),
    ("z", "graviton"): Process(
        settings=(*_GRAVITON, f"{GRAVITON_ID}:onIfMatch = 23 23", *_HADRONIC_BOSONS),
        partner_ids=(23,),
        resonant=True,
    ),
    ("w", "pair"): Process(
        settings=("WeakDoubleBoson:ffbar2WW = on", *_HADRONIC_BOSONS),
        partner_ids=(24,),
    ),
    ("z", "pair"): Process(
        settings=(
            "WeakDoubleBoson:ffbar2gmZgmZ = on",
            "WeakZ0:gmZmode = 2",
            *_HADRONIC_BOSONS,
        ),
        partner_ids=(23,),
    ),
}


def process_of(class_name: str, boson_source: str | None = None) -> Process:
    """Return the hard process that makes jets of a class.

    Raises:
        SpecError: if there is no such class, or a boson's source is missing or unknown.
    """
    if class_name in _PLAIN:
        return _PLAIN[class_name]
    if (class_name, boson_source) in _BOSONS:
        return _BOSONS[class_name, str(boson_source)]
    known = (*_PLAIN, *(" from ".join(key) for key in _BOSONS))
    name = f"{class_name} from {boson_source}" if boson_source else class_name
    raise SpecError(unknown_name("class of jets", name, known))


def check_window(process: Process, beam: Beam) -> None:
    """Refuse a window that a resonance at rest cannot reach.

    Raises:
        SpecError: if the window is empty or starts above half the resonance's mass.
    """
    low, high = beam.window_gev
    if low >= high:
        msg = f"transverse momentum window {low:g} to {high:g} GeV is empty; write [low, high]"
        raise SpecError(msg)
    reach = RESONANCE_GEV / 2
    if process.resonant and low >= reach:
        msg = (
            f"parton_pt_gev: bosons of a {RESONANCE_GEV} GeV resonance reach {reach:g} GeV, "
            f"the window starts at {low:g} GeV; lower it or take boson_source: pair"
        )
        raise SpecError(msg)


class _BosonWindow(pythia8mc.UserHooks):  # type: ignore[misc]
    """Drop hard processes whose bosons are outside the window, before they are showered."""

    FIRST_BOSON = 6

    def __init__(self, window_gev: tuple[float, float]) -> None:
        pythia8mc.UserHooks.__init__(self)
        self._window_gev = window_gev

    def canVetoProcessLevel(self) -> bool:  # noqa: N802 (Pythia's name)
        return True

    def doVetoProcessLevel(self, process: Any) -> bool:  # noqa: N802 (Pythia's name)
        low, high = self._window_gev
        return not low <= process[self.FIRST_BOSON].pT() < high


def generate(process: Process, beam: Beam, seed: int) -> Iterator[Events]:
    """Yield collisions in batches, without end; the same seed gives the same bytes.

    Raises:
        SpecError: if the window cannot be reached.
        ToolError: if Pythia refuses a setting, cannot start or makes no event.
    """
    check_window(process, beam)
    hook = _BosonWindow(beam.window_gev) if process.resonant else None
    low, high = beam.window_gev
    what = f"a window of {low:g} to {high:g} GeV; lower it"
    pythia = generator.start(_settings(process, beam), seed, what, hook)
    while True:
        yield _events(pythia, process)


def _settings(process: Process, beam: Beam) -> tuple[str, ...]:
    low, high = beam.window_gev
    window = (f"PhaseSpace:pTHatMin = {low!r}", f"PhaseSpace:pTHatMax = {high!r}")
    return (
        f"PartonLevel:MPI = {'on' if beam.multi_parton_interactions else 'off'}",
        *process.settings,
        *(() if process.resonant else window),
    )


def _events(pythia: Any, process: Process) -> Events:
    record = generator.next_batch(pythia, BATCH_EVENTS, process.settings[0]).prt
    return Events(
        particles=_momenta(record, generator.is_visible(record)),
        partners=_momenta(record, _is_partner(record, process.partner_ids)),
    )


def _is_partner(record: Any, ids: tuple[int, ...]) -> Any:
    """Mark hard-process partons, and of tops and bosons the last copy before they decay."""
    wanted = generator.has_id(record, ids)
    if set(ids) <= set(PARTON_IDS):
        return wanted & (record.status == HARD_OUTGOING)
    first, last = record.id[record.daughter1], record.id[record.daughter2]
    return wanted & (record.status < 0) & (first != record.id) & (last != record.id)


def _momenta(record: Any, mask: Any) -> Any:
    chosen = record.p[mask]
    return ak.zip({"px": chosen.px, "py": chosen.py, "pz": chosen.pz, "E": chosen.e})
