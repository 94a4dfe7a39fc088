"""Figures: the same each time, in every format, with the report's own numbers behind them."""

import csv
import io
import itertools
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from matplotlib.figure import Figure
from page_reports import HOSTILE, SUMMARIES, met_summary, pictures, report, sketch, timemux_summary
from schedules import SCHEDULE

from trigforge.core.errors import InputError
from trigforge.core.sketch import Sketch
from trigforge.report import document, palette
from trigforge.report.page import figures
from trigforge.report.page.figures import curves, network, resources, timeline
from trigforge.report.page.figures.drawing import Drawing, Table
from trigforge.report.page.figures.rendering import render, styled
from trigforge.report.page.making import files

ALL = {"latency", "resources", "roc", "rate", "turn_on", "health", "network"}
MAGIC = {"svg": b"<svg", "pdf": b"%PDF-", "png": b"\x89PNG"}


def rows_of(kind: str, name: str) -> list[dict[str, str]]:
    data = files(pictures(kind))[f"{name}.csv"].decode()
    return list(csv.DictReader(io.StringIO(data)))


def numbers(rows, *columns) -> list[tuple[float, ...]]:
    return [tuple(float(row[column]) for column in columns) for row in rows]


def points(curve) -> list[tuple[float, ...]]:
    return list(zip(curve.x, curve.y, curve.low, curve.high, strict=True))


def made(summary, spec):
    return document.make(summary, spec)


def test_a_report_with_everything_has_every_figure_in_every_format():
    drawn = figures.draw(report("met"))
    assert set(drawn) == ALL
    content = files(drawn)
    assert set(content) == {f"{name}.{end}" for name in ALL for end in (*MAGIC, "csv")}
    for name, (ending, magic) in itertools.product(ALL, MAGIC.items()):
        assert content[f"{name}.{ending}"].startswith(magic)
    assert dict(files(pictures("met"))).items() <= dict(content).items()


def test_equal_reports_give_equal_bytes_and_no_date():
    first, second = (files(figures.draw(report("hls"))) for _ in range(2))
    assert dict(first) == dict(second)
    for path, data in first.items():
        assert not re.search(rb"20[23]\d-\d\d-\d\d|CreationDate|Matplotlib v", data), path


def test_the_numbers_behind_the_curves_are_those_of_the_report():
    trigger = report("met").trigger
    for name, field, names in (
        ("roc", "roc", ("background_efficiency", "signal_efficiency")),
        ("turn_on", "turn_on", ("jet_pt_gev", "efficiency")),
    ):
        x, y = names
        rows = rows_of("met", name)
        expected = [
            (signal.name, result.implementation, point)
            for signal in trigger.signals
            for result in signal.results
            for point in points(getattr(result, field))
        ]
        found = numbers(rows, x, y, f"{y}_low", f"{y}_high")
        labels = [(row["signal"], row["implementation"]) for row in rows]
        assert [(*label, point) for label, point in zip(labels, found, strict=True)] == expected


def test_the_numbers_behind_the_rates_have_their_streamed_tail():
    trigger, rows = report("met").trigger, rows_of("met", "rate")
    assert list(rows[0]) == [
        "signal", "implementation", "threshold", "rate_khz", "rate_low_khz", "rate_high_khz",
    ]  # fmt: skip
    streamed = [row for row in rows if row["implementation"] == "streamed"]
    columns = ("threshold", "rate_khz", "rate_low_khz", "rate_high_khz")
    assert numbers(streamed, *columns) == points(trigger.signals[0].streamed.rates)
    firmware = [r for r in rows if (r["signal"], r["implementation"]) == ("top", "firmware")]
    assert numbers(firmware, *columns) == points(trigger.signals[0].results[2].rates)


def test_the_numbers_behind_costs_and_network_are_those_of_the_report():
    cycles = numbers(rows_of("timemux", "latency"), "first_cycle", "last_cycle")
    layers = [(layer.first_cycle, layer.last_cycle) for layer in report("timemux").schedule.layers]
    assert cycles == [(0, 21), *layers]
    lut = rows_of("met", "resources")[0]
    assert lut == {
        "resource": "lut",
        "used": "17280",
        "low": "15000.0",
        "likely": "20000.0",
        "high": "30000.0",
        "part_holds": "1728000",
        "allowed_share": "0.05",
    }
    nodes = report("met").network.nodes
    rows = rows_of("met", "network")
    assert [(row["node"], row["format"], int(row["n_weights"])) for row in rows] == [
        (node.name, node.format, node.n_weights) for node in nodes
    ]
    assert [int(row["n_overflows"]) for row in rows_of("met", "health")] == [
        tensor.n_overflows for tensor in report("met").health.tensors
    ]


def test_a_number_that_is_not_known_is_empty():
    assert rows_of("hls", "resources")[0]["used"] == ""


@pytest.mark.parametrize("kind", SUMMARIES)
def test_figures_say_in_words_what_they_show(kind):
    for picture in pictures(kind).values():
        assert len(picture.description) > 40
        assert picture.title


def test_a_picture_file_holds_its_title_and_its_description():
    for name, picture in pictures("met").items():
        root = ET.fromstring(dict(picture.files)[f"{name}.svg"])
        words = [child.text for child in root[:2]]
        assert words == [picture.title, picture.description]


def test_hostile_names_are_text_in_every_picture():
    for picture in pictures("hostile").values():
        root = ET.fromstring(picture.svg)
        assert {element.tag.split("}")[-1] for element in root.iter()} <= {
            "svg", "g", "path", "text", "tspan", "defs", "clipPath", "use", "rect", "pattern",
            "title", "desc",
        }  # fmt: skip
    texts = [element.text for element in ET.fromstring(pictures("hostile")["roc"].svg).iter()]
    assert HOSTILE in texts


def test_curves_can_be_read_off_where_they_are_drawn():
    (panel, _) = pictures("met")["rate"].readout
    left, top, right, bottom = panel["box"]
    assert 0 < left < right <= pictures("met")["rate"].width_points
    assert 0 < top < bottom
    assert (panel["x"]["scale"], panel["y"]["scale"]) == ("linear", "log")
    (firmware, streamed) = panel["series"]
    assert firmware["x"] == list(report("met").trigger.signals[0].results[2].rates.x)
    assert streamed["name"] == "streamed"
    assert pictures("met")["latency"].readout is None


def test_implementations_differ_in_more_than_colour():
    looks = curves.LOOKS.values()
    for field in ("colour", "line", "marker", "size"):
        assert len({getattr(look, field) for look in looks}) == len(looks)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_and_lines_stand_out_from_their_ground(theme):
    def luminance(name: str) -> float:
        value = getattr(palette.COLOURS[name], theme)
        channels = (int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    def contrast(name: str, ground: str) -> float:
        darker, lighter = sorted((luminance(name), luminance(ground)))
        return (lighter + 0.05) / (darker + 0.05)

    for name in ("ink", "muted", "good", "bad", "blue"):
        for ground in ("surface", "stripe"):
            assert contrast(name, ground) >= 4.5, (name, ground)
    for name in ("blue", "vermillion", "green", "purple"):
        assert contrast(name, "surface") >= 3, name


def test_every_colour_has_one_name():
    for theme in ("light", "dark"):
        values = [getattr(colour, theme) for colour in palette.COLOURS.values()]
        assert len(values) == len(set(values))


def test_a_limit_far_away_is_named_and_not_drawn_to_scale(spec):
    with styled():
        near = timeline.draw(made(timemux_summary(), spec))
        far = timeline.draw(made(met_summary(), spec))
    limits = [axes.get_xlim()[1] for axes in (near.figure.axes[0], far.figure.axes[0])]
    assert limits[0] > 6
    assert limits[1] < 2
    texts = [text.get_text() for text in far.figure.axes[0].texts]
    assert texts == ["allowed: 150 ns = 6.0 crossings \N{RIGHTWARDS ARROW}"]


def test_bars_lie_at_the_crossings_of_their_cycles(spec):
    with styled():
        axes = timeline.draw(made(timemux_summary(), spec)).figure.axes[0]
    bars = sorted((bar.get_y(), bar.get_x(), bar.get_width()) for bar in axes.patches)
    crossing = 0.3125 * 0.4008  # of a cycle of 320 MHz
    first = min(bars, key=lambda bar: (round(bar[0], 2), bar[1]))
    assert first[1] == pytest.approx(crossing)
    ends = max(x + width for _, x, width in bars)
    assert ends == pytest.approx((21 + 16) * crossing)


def test_a_pool_of_one_stage_is_drawn_without_a_pipeline(spec):
    layer = replace(SCHEDULE.layers[0], n_slots=12)
    summary = replace(timemux_summary(), schedule=replace(SCHEDULE, layers=(layer,)))
    with styled():
        axes = timeline.draw(made(summary, spec)).figure.axes[0]
    bars = [bar for bar in axes.patches if bar.get_y() > -0.5 and bar.get_height() < 0.5]
    assert len(bars) == 2


def test_more_than_allowed_is_hatched_and_said(spec):
    summary = met_summary()
    large = replace(summary, resources=replace(summary.resources, lut=100_000))
    with styled():
        drawing = resources.draw(made(large, spec))
    labels = [text.get_text() for text in drawing.figure.legends[0].get_texts()]
    assert "counted, more than allowed" in labels
    row = resources.rows(made(large, spec))[0]
    assert row.over
    assert not resources.rows(made(summary, spec))[0].over


def test_edges_past_other_nodes_run_in_lanes_of_their_own():
    def node(name, *inputs):
        return replace(sketch().nodes[0], name=name, inputs=inputs)

    nodes = [
        node("a"),
        node("b", "a"),
        node("c", "b", "a"),
        node("d", "c", "a"),
        node("e", "d", "b"),
    ]
    skips = network._skips(nodes)
    assert [(skip.first, skip.last) for skip in skips] == [(0, 2), (0, 3), (1, 4)]
    for one, other in itertools.combinations(skips, 2):
        apart = one.last <= other.first or other.last <= one.first
        assert apart or one.lane != other.lane


def test_what_is_not_there_is_not_drawn(spec):
    summary = replace(
        met_summary(),
        latency=None,
        resources=None,
        estimates=(),
        trigger=None,
        health=(),
        network=Sketch(nodes=()),
    )
    assert figures.draw(made(summary, spec)) == {}


def test_a_figure_with_an_odd_name_is_refused():
    table = Table(columns=("x",), rows=())
    with pytest.raises(InputError, match=r"a figure is named in small letters, not '\.\./x'"):
        Drawing(name="../x", title="", description="", figure=Figure(), table=table)


def test_letters_the_font_has_not_are_no_warning():
    figure = Figure()
    with styled():
        figure.suptitle("\N{CJK UNIFIED IDEOGRAPH-4E00}")
        drawing = Drawing(
            name="x", title="t", description="d", figure=figure, table=Table(columns=(), rows=())
        )
        assert "\N{CJK UNIFIED IDEOGRAPH-4E00}" in render(drawing).svg
