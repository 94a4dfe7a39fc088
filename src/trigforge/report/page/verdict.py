"""The verdict in words: is it right, does it fit and keep up, what does it cost in physics."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from trigforge.core.crossing import CROSSING_MHZ
from trigforge.report.entries import CheckEntry
from trigforge.report.page.figures.curves import in_hardware
from trigforge.report.page.figures.resources import rows
from trigforge.report.page.notation import count, listed, measured, number, percent, plural

if TYPE_CHECKING:
    from trigforge.report.entries import AgreementEntry, Report
    from trigforge.report.trigger_entries import LossEntry, SignalEntry, TriggerEntry

_UNKNOWN = "unknown: "
_ROUTED = "route"


class Standing(StrEnum):
    """How a question was answered."""

    MET = "met"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question, its answer in one figure, and in a sentence a newcomer understands."""

    question: str
    standing: Standing
    figure: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the page begins with."""

    met: bool
    headline: str
    answers: tuple[Answer, ...]
    failed: tuple[CheckEntry, ...]
    unmeasured: tuple[str, ...]
    notes: tuple[str, ...]


def judge(report: Report) -> Verdict:
    """Return the verdict of a report in words."""
    checks = (*report.checks, *report.budget)
    failed = tuple(check for check in checks if not check.met)
    answers = (_right(report), _fits(report), _physics(report))
    gaps = report.met and any(answer.standing is Standing.UNKNOWN for answer in answers)
    headline = _headline(report, len(checks), failed)
    return Verdict(
        met=report.met,
        headline=f"{headline}; not everything was measured" if gaps else headline,
        answers=answers,
        failed=failed,
        unmeasured=_unmeasured(report),
        notes=tuple(line for line in report.warnings if not line.startswith(_UNKNOWN)),
    )


def _headline(report: Report, n_checks: int, failed: tuple[CheckEntry, ...]) -> str:
    if report.met:
        return f"All {plural(n_checks, 'check')} met"
    if not failed:
        return "Nothing was checked"
    return f"{len(failed)} of {plural(n_checks, 'check')} not met"


def _right(report: Report) -> Answer:
    """Is every implementation the trained network, bit for bit?"""
    question = "Is the firmware right?"
    wrong = [entry for entry in report.agreements if entry.n_different or not entry.n_values]
    faults = [check for check in report.checks if check.name.startswith("RTL:") and not check.met]
    if not report.agreements:
        sentence = "Not known: no two implementations were compared."
        return _answer(question, Standing.UNKNOWN, "not compared", sentence)
    if wrong:
        worst = next((entry for entry in wrong if entry.first_difference), wrong[0])
        n_wrong = max(entry.n_different for entry in wrong)
        figure = f"{count(n_wrong)} of {count(worst.n_values)} values wrong"
        return _answer(question, Standing.FAILED, figure, _difference(worst))
    if faults:
        sentence = f"No: every value at full rate is right, but {faults[0].name}: {faults[0].used}."
        return _answer(question, Standing.FAILED, "wrong in other traffic", sentence)
    names = [entry.candidate for entry in report.agreements]
    n_implementations = len({*names, *(entry.reference for entry in report.agreements)})
    first = report.agreements[0]
    simulated = any(name == "RTL" for name in names)
    which = "the RTL simulated cycle by cycle" if simulated else "hls4ml's C++"
    caveat = "" if simulated else " No RTL was simulated."
    return _answer(
        question,
        Standing.MET,
        f"0 of {count(first.n_values)} values differ",
        f"Yes: {n_implementations} implementations, among them {which}, gave the same integers, "
        f"bit for bit, on all {count(first.n_events)} events.{caveat}",
    )


def _difference(entry: AgreementEntry) -> str:
    """Say where two implementations part first."""
    first = entry.first_difference
    if first is None:
        return f"Not known: {entry.candidate} was compared with {entry.reference} on no value."
    return (
        f"No: {entry.candidate} differs from {entry.reference} in {count(entry.n_different)} of "
        f"{count(entry.n_values)} values. First in event {count(first.event)} ({first.origin}): "
        f"output {first.output_name} is {count(first.candidate)}, not {count(first.reference)}."
    )


def _fits(report: Report) -> Answer:
    """Is an answer there in time, is the next event taken, is there room on the part?"""
    question = "Does it keep up and fit?"
    failed = [check for check in report.budget if not check.met]
    unknown = [line for line in report.warnings if line.startswith(_UNKNOWN)]
    figure = _pace(report) or _size(report) or "not measured"
    sentence = " ".join(part for part in (_timing(report), _room(report)) if part)
    if failed:
        over = listed([f"{check.name} ({check.used}; allowed {check.allowed})" for check in failed])
        return _answer(question, Standing.FAILED, figure, f"No: not met: {over}. {sentence}")
    if unknown or not report.budget:
        return _answer(question, Standing.UNKNOWN, figure, f"Known only in part. {sentence}")
    return _answer(question, Standing.MET, figure, f"Yes. {sentence}")


def _pace(report: Report) -> str:
    latency = report.latency
    if latency.ns is None or latency.interval_cycles is None:
        return ""
    return f"{number(latency.ns)} ns, an event every {_cycles(latency.interval_cycles)}"


def _cycles(n_cycles: int) -> str:
    return "cycle" if n_cycles == 1 else f"{n_cycles} cycles"


def _timing(report: Report) -> str:
    latency = report.latency
    if latency.ns is None or latency.crossings is None or latency.interval_cycles is None:
        return "Latency and interval were not measured."
    interval_ns = latency.interval_cycles * 1000 / latency.clock_mhz
    return (
        f"A decision is there {number(latency.ns)} ns after the event, "
        f"{number(latency.crossings)} bunch crossings ({report.target.latency_ns:g} ns are "
        f"allowed); a new event may come every {number(interval_ns)} ns, collisions come every "
        f"{1000 / CROSSING_MHZ:.2f} ns."
    )


def _size(report: Report) -> str:
    lut = next((row for row in rows(report) if row.resource == "lut"), None)
    if lut is None or lut.high is None:
        return ""
    return f"{percent(lut.share(lut.low), 2)} to {percent(lut.share(lut.high), 2)} of the LUTs"


def _room(report: Report) -> str:
    """Say how much of the part is taken, of what takes the largest part of its allowance."""
    known = [
        (share / row.allowed_share, share, row)
        for row in rows(report)
        for share in [row.share(row.used if row.used is not None else row.high)]
        if share is not None and row.allowed_share
    ]
    if not known:
        return "Resources are not known."
    _, share, row = max(known, key=lambda entry: entry[0])
    takes = "takes" if row.used is not None else "is estimated to take at most"
    return (
        f"It {takes} {percent(share)} of the {row.label} cells of the {report.target.part}; "
        f"{percent(row.allowed_share)} are allowed."
    )


def _physics(report: Report) -> Answer:
    """What is lost against the network in floating point?"""
    question = "What does it cost in physics?"
    lost = [
        check
        for check in report.checks
        if not check.met and check.name.startswith(("loss", "distance", "deviation"))
    ]
    standing = Standing.FAILED if lost else Standing.MET
    if report.trigger is not None and report.trigger.signals:
        return _answer(question, standing, *_efficiency(report.trigger))
    before, after = report.physics.float_network, report.physics.quantised_network
    if before is not None and after is not None:
        loss = before.mean_auc - after.mean_auc
        return _answer(
            question,
            standing,
            f"{number(loss, 2)} of AUC lost",
            f"On {count(before.n_events)} held-out events the mean area under the ROC curve is "
            f"{after.mean_auc:.4f} in firmware and {before.mean_auc:.4f} in floating point. No "
            "trigger rate was asked for.",
        )
    if report.original is not None:
        return _answer(question, standing, *_distance(report))
    sentence = "Not known: the events have no labels."
    return _answer(question, Standing.UNKNOWN, "not measured", sentence)


def _efficiency(trigger: TriggerEntry) -> tuple[str, str]:
    """Say what is kept at the working point and what quantisation cost, of the worst signal."""
    signal = max(trigger.signals, key=_lost)
    kept, loss = in_hardware(signal), _loss(signal)
    rate = f"{trigger.working_rate_khz:g} kHz"
    sentence = (
        f"At a trigger rate of {rate} the {kept.implementation} keeps "
        f"{measured(kept.efficiency, 100)} % of {signal.name} events"
    )
    if loss is None:
        return f"{percent(kept.efficiency.value)} kept at {rate}", f"{sentence}."
    worst = ", the signal that loses most" if len(trigger.signals) > 1 else ""
    lost = f"{measured(loss.efficiency, 100)} percentage points fewer than the {loss.reference}"
    points = measured(loss.efficiency, 100)
    return f"{points} points lost at {rate}", f"{sentence}{worst}: {lost}."


def _loss(signal: SignalEntry) -> LossEntry | None:
    """Return what the firmware lost of a signal."""
    kept = in_hardware(signal).implementation
    return next((loss for loss in signal.losses if loss.implementation == kept), None)


def _lost(signal: SignalEntry) -> float:
    loss = _loss(signal)
    return 0.0 if loss is None else loss.efficiency.value


def _distance(report: Report) -> tuple[str, str]:
    entry = report.original
    if entry is None:
        return "", ""
    changed = (
        ""
        if entry.n_decisions_changed is None
        else f" The largest output is another one in {count(entry.n_decisions_changed)} of "
        f"{count(entry.n_events)} events."
    )
    return (
        f"largest distance {number(entry.largest)}",
        (
            f"Against {entry.original} the outputs are off by {number(entry.mean)} on average and "
            f"{number(entry.largest)} at most; they span {number(entry.output_range)}.{changed}"
        ),
    )


def _unmeasured(report: Report) -> tuple[str, ...]:
    """List what the report cannot say, so that nobody takes silence for success."""
    lines = [line.removeprefix(_UNKNOWN) for line in report.warnings if line.startswith(_UNKNOWN)]
    if not any(entry.candidate == "RTL" for entry in report.agreements):
        lines.append("RTL: none was simulated; the vendor's tool makes it from the C++")
    if report.latency.source == "not measured" and not any("latency" in line for line in lines):
        lines.append("latency and interval")
    if report.resources.source == "not measured":
        lines.append("resources: no synthesis was run, the figures are estimates")
    if _ROUTED not in (report.resources.stage or ""):
        lines.append(_closure(report))
    if report.trigger is None:
        lines.append("trigger rate and efficiency: no trigger section in the spec, or no labels")
    if report.health is None:
        lines.append("use of the formats")
    return tuple(lines)


def _closure(report: Report) -> str:
    """Say that no clock is proven, and what speaks against it."""
    delay, cycle_ns = report.logic_delay, 1000 / report.target.clock_mhz
    clock = f"{report.target.clock_mhz:g} MHz"
    line = f"timing closure: nothing was placed and routed, so {clock} is not proven"
    if delay is None or delay.ns <= cycle_ns:
        return line
    return (
        f"{line}; the slowest path takes {number(delay.ns)} ns, a cycle {number(cycle_ns)} ns "
        f"({delay.method})"
    )


def _answer(question: str, standing: Standing, figure: str, sentence: str) -> Answer:
    return Answer(question=question, standing=standing, figure=figure, sentence=sentence)
