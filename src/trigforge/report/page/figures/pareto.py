"""What designs of a scan are worth against what they take: ``ScanResult -> Drawing``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from trigforge.report import palette
from trigforge.report.page.figures.drawing import Drawing, Readout, Series, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from trigforge.core.scanning import ScanResult, Trial

TITLES = {
    "accuracy": "accuracy",
    "mean_auc": "mean area under the ROC",
    "efficiency": "mean signal efficiency at the trigger's rate",
    "ebops": "effective bit operations",
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "latency_ns": "latency in ns",
}
_SIZE_INCHES = 5.4, 3.6
_FEWEST_DECADES = 4.0


def front(result: ScanResult) -> Drawing | None:
    """Draw all designs by their objectives, those that no other beats joined by a line."""
    done = [trial for trial in result.trials if trial.figures]
    if not done:
        return None
    worth, cost = result.objectives[:2]
    base = (result.base.get(cost), result.base.get(worth))
    return _draw(
        result,
        done,
        name="front",
        title=_sentence(f"{TITLES[worth]} against {TITLES[cost]}"),
        cost=lambda trial: trial.figures[cost],
        x_name=f"{TITLES[cost]}{'' if cost == 'ebops' else ', estimated'}",
        base=base,
    )


def measured(result: ScanResult) -> Drawing | None:
    """Draw the designs that were synthesised by the LUTs they take; None if none was."""
    done = [trial for trial in result.trials if "lut" in trial.measured and trial.figures]
    if not done:
        return None
    worth = result.objectives[0]
    return _draw(
        result,
        done,
        name="measured",
        title=_sentence(f"{TITLES[worth]} against LUT after synthesis"),
        cost=lambda trial: trial.measured["lut"],
        x_name="LUT, logic synthesis by Yosys",
        base=(result.base_measured.get("lut"), result.base.get(worth)),
    )


def _draw(  # noqa: PLR0913 - keyword-only, what one picture shows
    result: ScanResult,
    trials: Sequence[Trial],
    *,
    name: str,
    title: str,
    cost: Callable[[Trial], float],
    x_name: str,
    base: tuple[float | None, float | None],
) -> Drawing:
    worth = result.objectives[0]
    figure = Figure(figsize=_SIZE_INCHES)
    axes: Any = figure.subplots()
    groups = {
        "tried": [trial for trial in trials if not trial.on_front],
        "front": sorted((trial for trial in trials if trial.on_front), key=cost),
    }
    looks = {
        "tried": {"color": palette.MUTED, "marker": "o", "ms": 4, "mfc": "none", "ls": ""},
        "front": {"color": palette.BLUE, "marker": "s", "ms": 5.5, "ls": "-", "lw": 1.2},
    }
    series = []
    for group, found in groups.items():
        x, y = [cost(trial) for trial in found], [trial.figures[worth] for trial in found]
        if found:
            axes.plot(x, y, label=group, **looks[group])
            series.append(Series(name=group, x=x, y=y))
    best = [trial for trial in trials if trial.number in result.best[:1]]
    for trial in best:
        axes.annotate(
            str(trial.number),
            (cost(trial), trial.figures[worth]),
            xytext=(6, -10),
            textcoords="offset points",
        )
    if base[0] is not None and base[1] is not None:
        axes.plot(*base, "*", color=palette.VERMILLION, ms=12, label=f"base, {result.base_name}")
    costs = [cost(trial) for trial in trials if cost(trial) > 0]
    if costs and max(costs) > _FEWEST_DECADES * min(costs):
        axes.set_xscale("log")
    axes.set_xlabel(x_name)
    axes.set_ylabel(TITLES[worth])
    axes.grid(visible=True)
    axes.legend(loc="best")
    return Drawing(
        name=name,
        title=title,
        description=_describe(result, trials, cost, base),
        figure=figure,
        table=_table(trials, worth, name, cost),
        readouts=(
            Readout(
                axes=axes, title=title, x_name=x_name, y_name=TITLES[worth], series=tuple(series)
            ),
        ),
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _describe(
    result: ScanResult,
    trials: Iterable[Trial],
    cost: Callable[[Trial], float],
    base: tuple[float | None, float | None],
) -> str:
    """Say the front in words."""
    worth = result.objectives[0]
    points = "; ".join(
        f"{trial.name}: {trial.figures[worth]:.4f} at {cost(trial):,.0f}"
        for trial in sorted(trials, key=cost)
        if trial.on_front
    )
    of_base = (
        "" if None in base else f" The base, {result.base_name}: {base[1]:.4f} at {base[0]:,.0f}."
    )
    return f"Designs that no other beats: {points}.{of_base}"


def _table(trials: Iterable[Trial], worth: str, name: str, cost: Callable[[Trial], float]) -> Table:
    column = "lut_measured" if name == "measured" else "cost"
    return Table(
        columns=("trial", "on_front", column, worth),
        rows=tuple(
            (trial.number, int(trial.on_front), cost(trial), trial.figures[worth])
            for trial in trials
        ),
    )
