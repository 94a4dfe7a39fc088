"""Read what Vivado HLS and Vitis HLS report: C synthesis and co-simulation.

C synthesis *estimates*: its LUTs are 2 to 7 times those of the routed design (2.2 times in the
convolutional network among the fixtures). It counts block RAM in units of 18 kb.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from trigforge.core.costs import Latency, Resources, Source
from trigforge.core.errors import InputError
from trigforge.vendor import report_text

if TYPE_CHECKING:
    from pathlib import Path

STAGE = "HLS C synthesis"
_UNKNOWN = ("?", "undef", "-", "NA")
"""How the reports write a latency that depends on the data."""

_DSP = ("DSP", "DSP48E")
"""Vitis HLS counts DSP, Vivado HLS counted DSP48E: the same blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CSynthesis:
    """What C synthesis expects of the RTL it wrote."""

    top: str
    target_period_ns: float
    """The clock that was asked for; the report rounds it to 0.01 ns."""
    estimated_period_ns: float
    latency_cycles: tuple[int, int] | None
    """The shortest and the longest; None where it depends on the data."""
    interval_cycles: tuple[int, int] | None
    """The shortest and the longest time between two starts; None where it is unknown."""
    resources: Resources

    @property
    def latency(self) -> Latency | None:
        """The longest latency and interval, None where one of them is unknown."""
        if self.latency_cycles is None or self.interval_cycles is None:
            return None
        return Latency(
            cycles=self.latency_cycles[1],
            interval_cycles=self.interval_cycles[1],
            clock_mhz=1000 / self.target_period_ns,
            source=Source.ESTIMATED,
            tool=f"{self.resources.tool}, C synthesis",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CoSimulation:
    """What the simulation of the RTL gave, played by the C++ test bench."""

    passed: bool
    language: str
    """``verilog`` or ``vhdl``."""
    latency_cycles: tuple[int, int, int] | None
    """Shortest, mean, longest; None where nothing was measured."""
    interval_cycles: tuple[int, int, int] | None
    """The same of the time between two starts; None if there was one event only."""


def read_xml(path: Path) -> CSynthesis:
    """Read ``<top>_csynth.xml``.

    The file does not name its program: Vivado HLS ended with 2020.1, and only Vitis HLS
    writes a flow target.

    Raises:
        InputError: if the file is missing, truncated, or lacks a figure.
    """
    root = _xml_root(path)
    version = _xml_text(path, root, "ReportVersion/Version")
    if re.fullmatch(r"\d{4}\.\d+(?:\.\d+)*", version) is None:
        msg = f"{path}, ReportVersion: expected a version such as 2023.2, found {version!r}"
        raise InputError(msg)
    is_vitis = root.find("UserAssignments/FlowTarget") is not None or version >= "2020.2"
    area = "AreaEstimates/Resources/"
    summary = "PerformanceEstimates/SummaryOfOverallLatency/"
    dsp = next((tag for tag in _DSP if root.find(area + tag) is not None), _DSP[0])
    return CSynthesis(
        top=_xml_text(path, root, "UserAssignments/TopModelName"),
        target_period_ns=_xml_ns(path, root, "UserAssignments/TargetClockPeriod"),
        estimated_period_ns=_xml_ns(
            path, root, "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"
        ),
        latency_cycles=_xml_range(
            path, root, summary + "Best-caseLatency", summary + "Worst-caseLatency"
        ),
        interval_cycles=_xml_range(path, root, summary + "Interval-min", summary + "Interval-max"),
        resources=Resources(
            part=_xml_text(path, root, "UserAssignments/Part"),
            lut=_xml_count(path, root, area + "LUT"),
            ff=_xml_count(path, root, area + "FF"),
            dsp=_xml_count(path, root, area + dsp),
            bram_18k=_xml_count(path, root, area + "BRAM_18K"),
            uram=_xml_count(path, root, area + "URAM"),
            source=Source.ESTIMATED,
            tool=f"{'Vitis' if is_vitis else 'Vivado'} HLS {version}",
            stage=STAGE,
        ),
    )


def read(path: Path) -> CSynthesis:
    """Read the text report ``<top>_csynth.rpt``.

    Raises:
        InputError: if the file is missing, truncated, or not as either program writes it.
    """
    report = report_text.read(path)
    _, title = report.find(
        r"^== (Vivado|Vitis) HLS Report for '(\w+)'", "the title of a report of C synthesis"
    )
    _, version = report.find(r"^\* Version:\s+(\d{4}\.\d+(?:\.\d+)*)\b", "the version")
    _, device = report.find(r"^\* Target device:\s+(\S+)", "the target device")
    performance, _ = report.find(r"^== Performance Estimates", "the performance estimates")
    area, _ = report.find(
        r"^== Utilization Estimates", "the utilization estimates", after=performance
    )
    report.find(r"^== Interface", "the interface", after=area)
    target, estimated = _clock(report, performance)
    latency, interval = _performance(report, performance)
    return CSynthesis(
        top=title[2],
        target_period_ns=target,
        estimated_period_ns=estimated,
        latency_cycles=latency,
        interval_cycles=interval,
        resources=Resources(
            part=device[1],
            **_area(report, area),
            source=Source.ESTIMATED,
            tool=f"{title[1]} HLS {version[1]}",
            stage=STAGE,
        ),
    )


def read_co_simulation(path: Path) -> CoSimulation:
    """Read ``<top>_cosim.rpt``.

    Raises:
        InputError: if the file is missing or truncated, if not exactly one language was
            simulated, or its status is neither Pass nor Fail.
    """
    report = report_text.read(path)
    start, _ = report.find(r"^\+\s+RTL\s+\+\s+Status\s+\+", "the columns RTL and Status")
    run = [row for row in _language_rows(report, start) if row.cells[1] != "NA"]
    if len(run) != 1:
        msg = f"{path}, line {start}: expected one simulated language, found {len(run)}"
        raise InputError(msg)
    (row,) = run
    if row.cells[1] not in ("Pass", "Fail"):
        raise report.wrong(row.line, "the status Pass or Fail")
    return CoSimulation(
        passed=row.cells[1] == "Pass",
        language=row.cells[0].lower(),
        latency_cycles=_three(report, row, 2, "latency"),
        interval_cycles=_three(report, row, 5, "interval"),
    )


def _language_rows(report: report_text.Report, start: int) -> tuple[report_text.Row, ...]:
    """Return the rows Verilog and VHDL, below the border that ends the headings."""
    rows = report.table(start + 1)
    for row in rows:
        if row.cells[0] not in ("Verilog", "VHDL") or len(row.cells) < 8:
            raise report.wrong(row.line, "a language, a status and six figures")
    return rows


def _three(
    report: report_text.Report, row: report_text.Row, first: int, what: str
) -> tuple[int, int, int] | None:
    cells = row.cells[first : first + 3]
    if set(cells) <= set(_UNKNOWN):
        return None
    low, mean, high = (report.integer(cell, row.line, what) for cell in cells)
    if not low <= mean <= high:
        raise report.wrong(row.line, f"a shortest, a mean and a longest {what}, in this order")
    return low, mean, high


def _clock(report: report_text.Report, start: int) -> tuple[float, float]:
    """Return the target and the estimated period in ns; the first clock is the only one."""
    line, _ = report.find(r"^\+ Timing", "the timing", after=start)
    rows = report.table(line)
    if rows[0].cells[:3] != ("Clock", "Target", "Estimated"):
        raise report.wrong(rows[0].line, "the columns Clock, Target, Estimated")
    if len(rows) != 2:
        raise report.wrong(rows[-1].line, "one clock")
    target, estimated = (re.fullmatch(r"(\d+(?:\.\d+)?) ?ns", cell) for cell in rows[1].cells[1:3])
    if target is None or estimated is None or float(target[1]) == 0:
        raise report.wrong(rows[1].line, "a target and an estimated period in ns")
    return float(target[1]), float(estimated[1])


def _performance(
    report: report_text.Report, start: int
) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Return latency and interval of the top function in cycles."""
    line, _ = report.find(r"^\+ Latency", "the latency", after=start)
    rows = report.table(line)
    if rows[0].cells[:3:2] != ("Latency (cycles)", "Interval"):
        raise report.wrong(rows[0].line, "the columns Latency (cycles) and Interval")
    if len(rows) != 3 or rows[1].cells[:6] != ("min", "max") * 3 or len(rows[2].cells) != 7:
        raise report.wrong(rows[-1].line, "one row: min and max of three columns, then the type")
    cells, number = rows[2].cells, rows[2].line
    return (
        _range(f"{report.path}, line {number}, latency", cells[0], cells[1]),
        _range(f"{report.path}, line {number}, interval", cells[4], cells[5]),
    )


def _area(report: report_text.Report, start: int) -> dict[str, int]:
    """Return the counts of the row Total by the names of the record's fields."""
    heading, *rows = report.table(start)
    total = next((row for row in rows if row.cells[0] == "Total"), None)
    if heading.cells[0] != "Name" or total is None:
        raise report.wrong(heading.line, "a table of resources with a row Total")
    dsp = next((label for label in _DSP if label in heading.cells), _DSP[0])
    labels = {"lut": "LUT", "ff": "FF", "dsp": dsp, "bram_18k": "BRAM_18K", "uram": "URAM"}
    missing = sorted(set(labels.values()) - set(heading.cells))
    if missing or len(total.cells) != len(heading.cells):
        raise report.wrong(heading.line, f"the columns {', '.join(labels.values())}")
    return {
        field: report.integer(total.cells[heading.cells.index(label)], total.line, label)
        for field, label in labels.items()
    }


def _range(where: str, low: str, high: str) -> tuple[int, int] | None:
    """Return a range of cycles, None if its end is unknown."""
    if high in _UNKNOWN and (low in _UNKNOWN or low.isdecimal()):
        return None
    if not (low.isdecimal() and high.isdecimal() and int(low) <= int(high)):
        msg = f"{where}: expected whole cycles, the lower first, found {low!r} to {high!r}"
        raise InputError(msg)
    return int(low), int(high)


def _xml_root(path: Path) -> ET.Element:
    try:
        root = ET.fromstring(path.read_bytes())
    except OSError as error:
        msg = f"{path}: cannot read the report: {error.strerror}"
        raise InputError(msg) from error
    except ET.ParseError as error:
        msg = f"{path}: expected XML of C synthesis: {error}; is the report truncated?"
        raise InputError(msg) from error
    if root.tag != "profile":
        msg = f"{path}: expected XML of C synthesis with the root profile, found {root.tag}"
        raise InputError(msg)
    return root


def _xml_text(path: Path, root: ET.Element, place: str) -> str:
    text = (root.findtext(place) or "").strip()
    if not text:
        msg = f"{path}: expected {place}, found none"
        raise InputError(msg)
    return text


def _xml_count(path: Path, root: ET.Element, place: str) -> int:
    text = _xml_text(path, root, place)
    if not text.isdecimal():
        msg = f"{path}, {place}: expected a whole number, found {text!r}"
        raise InputError(msg)
    return int(text)


def _xml_ns(path: Path, root: ET.Element, place: str) -> float:
    text = _xml_text(path, root, place)
    if re.fullmatch(r"\d+(?:\.\d+)?", text) is None or float(text) == 0:
        msg = f"{path}, {place}: expected a period in ns, found {text!r}"
        raise InputError(msg)
    return float(text)


def _xml_range(path: Path, root: ET.Element, low: str, high: str) -> tuple[int, int] | None:
    where = f"{path}, {low.rpartition('/')[2]}"
    return _range(where, _xml_text(path, root, low), _xml_text(path, root, high))
