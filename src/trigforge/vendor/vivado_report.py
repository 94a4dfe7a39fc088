"""Read what Vivado reports: utilisation and timing after synthesis, placement and routing.

Vivado counts block RAM in tiles of 36 kb, of which halves are used; here everything is in
units of 18 kb.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigforge.core.costs import Resources, Source
from trigforge.core.errors import InputError
from trigforge.vendor import report_text

if TYPE_CHECKING:
    from pathlib import Path

STAGES = {
    "Synthesized": "logic synthesis, Vivado",
    "Optimized": "logic optimisation, Vivado",
    "Fully Placed": "post-place, Vivado",
    "Physopt postPlace": "post-place, Vivado",
    "Routed": "post-route, Vivado",
    "Fully Routed": "post-route, Vivado",
    "Physopt postRoute": "post-route, Vivado",
}
"""The design states of Vivado, and what the stage is called here."""

_LUT = ("CLB LUTs", "Slice LUTs")
_FF = ("CLB Registers", "Slice Registers", "Registers")
_DSP = ("DSPs", "DSP Slices")
"""UltraScale, 7-series and Versal name the same things differently; flip-flops are all
registers, latches with them."""

_CARRY = ("CARRY4", "CARRY8", "LOOKAHEAD8")

_TIMING_COLUMNS = (
    *("WNS(ns)", "TNS(ns)", "TNS Failing Endpoints", "TNS Total Endpoints"),
    *("WHS(ns)", "THS(ns)", "THS Failing Endpoints", "THS Total Endpoints"),
    *("WPWS(ns)", "TPWS(ns)", "TPWS Failing Endpoints", "TPWS Total Endpoints"),
)
_MET = {
    "All user specified timing constraints are met.": True,
    "Timing constraints are not met.": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingClosure:
    """Whether a design keeps its clock. Slacks are in ns; None: no path of the kind exists."""

    part: str
    clock: str
    period_ns: float
    wns_ns: float | None
    """Worst negative slack: the setup of the slowest path."""
    tns_ns: float | None
    """The sum of all negative setup slacks."""
    setup_failing_endpoints: int
    whs_ns: float | None
    """Worst hold slack."""
    hold_failing_endpoints: int
    wpws_ns: float | None
    """Worst slack of a clock's pulse width."""
    pulse_width_failing_endpoints: int
    n_untimed: int
    """Registers without a clock and pins without a constraint: their paths were not looked at."""
    tool: str

    @property
    def met(self) -> bool:
        """Setup was looked at everywhere, and no path and no pulse is too short or too long."""
        return self.wns_ns is not None and self.n_untimed == 0 and self.n_failing == 0

    @property
    def n_failing(self) -> int:
        """Endpoints that fail, of each kind."""
        return (
            self.setup_failing_endpoints
            + self.hold_failing_endpoints
            + self.pulse_width_failing_endpoints
        )

    @property
    def reachable_mhz(self) -> float | None:
        """The clock at which the slowest path would just fit."""
        return None if self.wns_ns is None else 1000 / (self.period_ns - self.wns_ns)


def read_utilisation(path: Path) -> Resources:
    """Read a report of ``report_utilization``.

    Raises:
        InputError: if the file is missing or truncated, its design state is unknown, or a
            figure has none of the labels that are known.
    """
    report = report_text.read(path)
    title, tool = report.find(r"^\| Tool Version\s*: Vivado v\.(\S+)", "the version of Vivado")
    _, device = report.find(r"^\| Device\s*: (\S+)", "the device", after=title)
    state_line, state = report.find(r"^\| Design State\s*: (.+?)\s*$", "the design state")
    if state[1] not in STAGES:
        raise report.wrong(state_line, f"a design state of {', '.join(STAGES)}")
    _check_sections(report)
    used = _used(report)
    return Resources(
        part=device[1],
        lut=_count(report, used, *_LUT),
        ff=_count(report, used, *_FF),
        dsp=_count(report, used, *_DSP),
        bram_18k=_bram_18k(report, used),
        # A part without UltraRAM has no such row.
        uram=_count(report, used, "URAM") if "URAM" in used else 0,
        carry=_carry(report),
        source=Source.MEASURED,
        tool=f"Vivado {tool[1]}",
        stage=STAGES[state[1]],
    )


def read_timing(path: Path) -> TimingClosure:
    """Read a report of ``report_timing_summary`` of a design with one clock.

    Raises:
        InputError: if the file is missing or truncated, there is not exactly one clock, or
            Vivado's verdict is not the one that follows from its figures.
    """
    report = report_text.read(path)
    title, tool = report.find(r"^\| Tool Version\s*: Vivado v\.(\S+)", "the version of Vivado")
    _, device = report.find(r"^\| Device\s*: (\S+)", "the device", after=title)
    start, _ = report.find(r"^\| Design Timing Summary", "the design timing summary")
    slacks, counts = _summary(report, start)
    verdict_line, verdict = _verdict(report, start)
    clock, period = _clock(report, verdict_line)
    closure = TimingClosure(
        part=device[1],
        clock=clock,
        period_ns=period,
        wns_ns=slacks["WNS(ns)"],
        tns_ns=slacks["TNS(ns)"],
        setup_failing_endpoints=counts["TNS Failing Endpoints"],
        whs_ns=slacks["WHS(ns)"],
        hold_failing_endpoints=counts["THS Failing Endpoints"],
        wpws_ns=slacks["WPWS(ns)"],
        pulse_width_failing_endpoints=counts["TPWS Failing Endpoints"],
        n_untimed=_untimed(report, start),
        tool=f"Vivado {tool[1]}",
    )
    _check_figures(report, closure, verdict)
    return closure


def _check_sections(report: report_text.Report) -> None:
    """Refuse a report that does not hold every section of its table of contents."""
    line, _ = report.find(r"^Table of Contents", "the table of contents")
    wanted = []
    for text in report.lines[line + 1 :]:
        if re.match(r"\d+(?:\.\d+)*\.? \S", text) is None:
            break
        wanted.append(text.rstrip())
    line += 1 + len(wanted)
    for text in wanted:
        line, _ = report.find(f"^{re.escape(text)}\\s*$", f"the section {text!r}", after=line)


def _used(report: report_text.Report) -> dict[str, report_text.Row]:
    """Return, by label, the rows of the tables of used sites; the cell 1 is the count.

    A label of a later table (the distribution over sites) does not replace an earlier one.
    """
    found: dict[str, report_text.Row] = {}
    line = 1
    while line <= len(report.lines):
        if report.lines[line - 1].startswith("+-"):
            rows = report.table(line - 1)
            if rows[0].cells[:2] == ("Site Type", "Used"):
                for row in rows[1:]:
                    found.setdefault(row.cells[0].rstrip("*+"), row)
            line = rows[-1].line + 1
        line += 1
    return found


def _count(report: report_text.Report, used: dict[str, report_text.Row], *labels: str) -> int:
    row = _row(report, used, *labels)
    return report.integer(row.cells[1], row.line, row.cells[0])


def _row(
    report: report_text.Report, used: dict[str, report_text.Row], *labels: str
) -> report_text.Row:
    for label in labels:
        if label in used:
            return used[label]
    msg = f"{report.path}: expected a row {' or '.join(map(repr, labels))} among the used sites"
    raise InputError(msg)


def _bram_18k(report: report_text.Report, used: dict[str, report_text.Row]) -> int:
    """Return the block RAM in units of 18 kb: RAMB36 is two, RAMB18 one, a tile (36 kb) two.

    Versal does not list RAMB36 and RAMB18 by these names: there the tiles count, or halves.
    """
    row = _row(report, used, "Block RAM Tile")
    match = re.fullmatch(r"(\d+)(\.[05]0?)?", row.cells[1])
    if match is None:
        raise report.wrong(row.line, "whole or half tiles of block RAM")
    units = 2 * int(match[1]) + ((match[2] or "").startswith(".5"))
    if {"RAMB36/FIFO", "RAMB18"} <= used.keys():
        parts = 2 * _count(report, used, "RAMB36/FIFO") + _count(report, used, "RAMB18")
        if parts > units:
            raise report.wrong(row.line, f"{parts / 2:g} tiles, as RAMB36 and RAMB18 below say")
        return parts
    return units


def _carry(report: report_text.Report) -> int | None:
    """Return the carry chain cells among the primitives, None if those are not listed."""
    line = next(
        (
            number
            for number, text in enumerate(report.lines, start=1)
            if re.match(r"\d+\. Primitives", text) and report.lines[number].startswith("--")
        ),
        None,
    )
    if line is None:
        return None
    rows = report.table(line)
    if rows[0].cells[:2] != ("Ref Name", "Used"):
        raise report.wrong(rows[0].line, "the columns Ref Name and Used")
    return sum(
        report.integer(row.cells[1], row.line, row.cells[0])
        for row in rows[1:]
        if row.cells[0] in _CARRY
    )


def _summary(
    report: report_text.Report, start: int
) -> tuple[dict[str, float | None], dict[str, int]]:
    """Return the slacks and the counts of endpoints by column."""
    line, _ = report.find(r"^\s*WNS\(ns\)", "the columns of the timing summary", after=start)
    columns = tuple(re.split(r"\s{2,}", report.lines[line - 1].strip()))
    if columns != _TIMING_COLUMNS:
        raise report.wrong(line, f"the columns {', '.join(_TIMING_COLUMNS)}")
    cells = report.lines[line + 1].split() if line + 1 < len(report.lines) else []
    if len(cells) != len(columns):
        raise report.wrong(line + 2, f"{len(columns)} figures")
    slacks: dict[str, float | None] = {}
    counts: dict[str, int] = {}
    for column, cell in zip(columns, cells, strict=True):
        if column.endswith("(ns)"):
            if re.fullmatch(r"-?\d+\.\d+|NA|inf", cell) is None:
                raise report.wrong(line + 2, f"a slack in ns for {column}, not {cell!r}")
            slacks[column] = None if cell in ("NA", "inf") else float(cell)
        elif cell == "NA":
            counts[column] = 0
        else:
            counts[column] = report.integer(cell, line + 2, column)
    return slacks, counts


def _verdict(report: report_text.Report, start: int) -> tuple[int, str]:
    """Return the line of Vivado's verdict, and the verdict."""
    none = "There are no user specified timing constraints."
    sentences = "|".join(map(re.escape, (*_MET, none)))
    line, match = report.find(
        rf"^({sentences})\s*$", "whether the timing constraints are met", after=start
    )
    if match[1] == none:
        raise report.wrong(line, "a verdict on timing constraints: is there a clock?")
    return line, match[1]


def _clock(report: report_text.Report, after: int) -> tuple[str, float]:
    """Return the name and the period of the only clock."""
    start, _ = report.find(r"^\| Clock Summary", "the clock summary", after=after)
    line, _ = report.find(
        r"^Clock\s+Waveform\(ns\)\s+Period\(ns\)", "the columns of the clock summary", after=start
    )
    clocks = []
    for text in report.lines[line + 1 :]:
        match = re.fullmatch(r"\s*(\S+)\s+\{[^}]*\}\s+(\d+\.\d+)\s+\d+\.\d+\s*", text)
        if match is None:
            break
        clocks.append((match[1], float(match[2])))
    if len(clocks) != 1:
        msg = f"{report.path}, line {line}: expected one clock, found {len(clocks)}"
        raise InputError(msg)
    return clocks[0]


def _untimed(report: report_text.Report, end: int) -> int:
    """Return how many register and other pins the checks before the summary found untimed."""
    total = 0
    for pattern, what in (
        (r"^ There are (\d+) register/latch pins with no clock", "the check no_clock"),
        (
            r"^ There are (\d+) pins that are not constrained for maximum delay",
            "the check unconstrained_internal_endpoints",
        ),
    ):
        report.find(pattern, what)
        matches = (re.match(pattern, text) for text in report.lines[: end - 1])
        total += sum(int(match[1]) for match in matches if match is not None)
    return total


def _check_figures(report: report_text.Report, closure: TimingClosure, verdict: str) -> None:
    """Refuse figures that contradict each other or what Vivado says of them.

    A slack of 0.000 ns can be rounded: its endpoint may fail or not.
    """
    for slack, failing, what in (
        (closure.wns_ns, closure.setup_failing_endpoints, "setup"),
        (closure.whs_ns, closure.hold_failing_endpoints, "hold"),
        (closure.wpws_ns, closure.pulse_width_failing_endpoints, "pulse width"),
    ):
        if slack and (slack < 0) != (failing > 0):
            msg = f"{report.path}: a {what} slack of {slack} ns with {failing} failing endpoints"
            raise InputError(msg)
    if _MET[verdict] != (closure.n_failing == 0):
        msg = f"{report.path}: {closure.n_failing} failing endpoints, but {verdict!r}"
        raise InputError(msg)
