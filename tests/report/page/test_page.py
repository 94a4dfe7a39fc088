"""The page as HTML: whole, safe, in order, with nothing on it that is not in the report."""

import base64
import hashlib
import json
import re

import pytest
from page_reports import HOSTILE, NAMES, SUMMARIES, page, pictures, report
from page_tree import parse

from trigforge.report.page import making
from trigforge.report.page.rendering import policy

KINDS = tuple(SUMMARIES)
SECTIONS = (
    "verdict", "agreement", "timing", "resources", "physics", "formats", "network", "reproduce",
)  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


def tree(kind: str):
    return parse(page(kind))


def test_the_verdict_comes_first_and_then_the_rest_in_order(kind):
    main = tree(kind).one("main")
    assert tuple(section.attributes["id"] for section in main.all("section")) == SECTIONS
    links = {link.attributes["href"] for link in tree(kind).one("nav").all("a")}
    assert links == {f"#{name}" for name in SECTIONS[1:]}


def test_names_are_unique_and_every_reference_has_its_target(kind):
    elements = tree(kind).all()
    names = [e.attributes["id"] for e in elements if "id" in e.attributes]
    assert len(names) == len(set(names))
    text = page(kind)
    targets = re.findall(r'href="#([^"]+)"', text) + re.findall(r"url\(#([^)]+)\)", text)
    targets += [
        target
        for element in elements
        for target in element.attributes.get("aria-labelledby", "").split()
    ]
    assert set(targets) <= set(names)
    assert len(targets) > 20


def test_every_figure_is_an_image_with_a_title_and_a_description(kind):
    figures = tree(kind).all("figure")
    assert [f.attributes["id"] for f in figures] == [f"figure-{name}" for name in pictures(kind)]
    for figure in figures:
        svg = figure.one("svg")
        assert svg.attributes["role"] == "img"
        title, description = (
            svg.one(tag, id=name)
            for tag, name in zip(
                ("title", "desc"), svg.attributes["aria-labelledby"].split(), strict=True
            )
        )
        assert title.text == figure.one("figcaption").text
        assert len(description.text) > 40
        assert "viewbox" in svg.attributes


def test_nothing_is_loaded_and_only_our_script_may_run(kind):
    found = tree(kind)
    (meta,) = (m for m in found.all("meta") if m.attributes.get("http-equiv"))
    script = next(s for s in found.all("script") if not s.attributes)
    digest = base64.b64encode(hashlib.sha256(script.raw.encode()).digest()).decode()
    assert meta.attributes["content"] == policy(script.raw)
    assert f"script-src 'sha256-{digest}'" in meta.attributes["content"]
    assert meta.attributes["content"].startswith("default-src 'none';")
    for element in found.all():
        assert "src" not in element.attributes
        assert not [name for name in element.attributes if name.startswith("on")]
        link = element.attributes.get("href", "#")
        assert link.startswith(("#", "figures/")) or link == "data:,"
    style = found.one("style").raw + " ".join(e.attributes.get("style", "") for e in found.all())
    assert "@import" not in style
    assert set(re.findall(r"url\((.)", style)) <= {"#"}


def test_the_page_has_no_style_sheet_but_its_own(kind):
    assert len(tree(kind).all("style")) == 1


def test_colours_of_figures_are_those_of_the_theme(kind):
    for svg in tree(kind).all("svg"):
        styles = " ".join(element.attributes.get("style", "") for element in svg.all())
        assert "var(--" in styles
        assert (
            re.findall(r"#[0-9a-f]{3,8}\b|black|white", re.sub(r"url\(#[^)]*\)", "", styles)) == []
        )


def test_a_hostile_report_is_text_and_nothing_else():
    found = tree("hostile")
    kinds = [tuple(s.attributes) for s in found.all("script")]
    assert kinds == [("type", "data-readout")] * 3 + [()]
    assert found.one("h1").text == HOSTILE
    assert found.one("head").one("title").text.startswith(HOSTILE)
    assert "49" not in found.one("h1").text
    for section in ("verdict", "agreement", "timing", "physics", "formats", "reproduce"):
        assert HOSTILE in found.one("section", id=section).text
    shown = next(iter(json.loads(found.all("script")[0].raw)))
    assert shown["title"] == HOSTILE


def test_commands_name_the_spec_and_quote_it():
    commands = [c.one("code").text for c in tree("met").all(kind="command")]
    assert commands == [
        "trigforge run 'models/tiny jets.yaml'",
        "trigforge verify 'models/tiny jets.yaml'",
        "trigforge diagnose 'models/tiny jets.yaml'",
        "trigforge report 'reports/tiny jets'",
    ]
    unknown = report("met").model_copy(update={"spec_file": None})
    assert making.commands(unknown, "r")[0][0] == "trigforge run SPEC"


def test_the_matrix_shows_every_pair_once_and_what_was_not_compared():
    matrix = tree("met").one("table", kind="matrix")
    rows = matrix.one("tbody").all("tr")
    assert rows[0].one("th").text.startswith("1 QKeras, exact")
    cells = [[cell.attributes["class"] for cell in row.all("td")] for row in rows]
    void, good, none = "void", "good", "none"
    assert cells == [
        [void] * 4,
        [good, void, void, void],
        [good, good, void, void],
        [good, none, none, void],
        [good, none, none, none],
    ]


def test_a_first_difference_is_shown_with_both_integers():
    found = tree("failed")
    facts = {
        pair.one("dt").text: pair.one("dd").text
        for pair in found.one(kind="difference").one("dl").all("div")
    }
    assert facts == {
        "between": "QKeras, exact and C simulation, io_parallel",
        "event": "17, held_out[17]",
        "output": "1, top",
        "QKeras, exact": "\N{MINUS SIGN}205",
        "C simulation, io_parallel": "\N{MINUS SIGN}201",
        "in all": "40 of 2,665 values, 31 of 533 events",
    }
    assert found.one("table", kind="matrix").one("td", kind="bad").text == "✗ 40"
    assert tree("met").all(kind="difference") == []


def test_the_table_of_agreements_can_be_sorted_by_numbers_and_filtered_by_verdict():
    rows = tree("failed").one("section", id="agreement").one("table", kind="sortable")
    values = [
        [cell.attributes["data-value"] for cell in row.all("td", kind="n")]
        for row in rows.one("tbody").all("tr")
    ]
    assert values[0] == ["533", "2665", "40", "31"]
    assert [row.attributes["data-met"] for row in rows.one("tbody").all("tr")] == [
        "no", *["yes"] * len(NAMES),
    ]  # fmt: skip


def test_what_cannot_run_is_hidden_where_there_is_no_script():
    found = tree("met")
    assert "hidden" in found.one("button", id="theme").attributes
    assert "hidden" in found.one("form").attributes
    assert found.all("button") == [found.one("button", id="theme")]


def test_a_report_without_physics_says_so_and_draws_none():
    found = tree("unlabelled")
    assert set(pictures("unlabelled")) == {"latency", "resources", "health", "network"}
    assert "The events have no labels" in found.one("section", id="physics").text


def test_an_imported_model_is_compared_with_its_original():
    text = tree("imported").one("section", id="physics").text
    assert "model.onnx, by ONNX Runtime" in text
    assert "decisions changed 3 of 500 events" in text


def test_a_schedule_is_shown_layer_by_layer():
    timing = tree("timemux").one("section", id="timing")
    assert "100 DSPs, 0.75 multiplications per DSP and cycle" in timing.text
    assert [row.one("th").text for row in timing.one("tbody").all("tr")] == [
        "hidden", "relu", "order", "logits",
    ]  # fmt: skip
    assert "latency" in pictures("timemux")


def test_without_rtl_estimates_are_ranges_and_the_latency_is_not_made_up():
    found = tree("hls")
    assert found.one("section", id="timing").text.startswith("Latency and interval Not measured.")
    assert "latency" not in pictures("hls")
    row = found.one("section", id="resources").one("tbody").all("tr")[0]
    assert row.text == "LUT not counted 5\N{NO-BREAK SPACE}% 15,000 to 30,000 1,728,000".replace(
        "\N{NO-BREAK SPACE}", " "
    )


def test_what_the_firmware_keeps_at_the_rate_stands_beside_what_was_lost():
    table = tree("met").one("section", id="physics").all("table")[0]
    rows = [row.text for row in table.all("tr")]
    assert rows[1] == (
        "top the logit, 250 events float network 62.0 ± 1.2 2 9.5 ± 1.2 0.9500 ± 0.0030"
    )
    assert rows[3] == "firmware 61.0 ± 1.2 1.00 ± 0.40 16 9.5 ± 1.2 0.9400 ± 0.0030"
    assert rows[4].startswith("streamed, 2,000,000 events 60.0 ± 1.0 24 9.90 ± 0.20")


def test_the_health_of_the_tensors_is_said_in_words():
    rows = tree("met").one("section", id="formats").one("tbody").all("tr")
    wrapping = next(row for row in rows if row.one("th").text == "wrapping")
    assert "wraps" in wrapping.one(kind="remark wrong").text
    assert len(rows) == len(report("met").health.tensors)


def test_equal_reports_give_equal_pages():
    assert making.make(report("met"), pictures("met"), run="reports/tiny jets") == page("met")
