"""The arithmetic of the page on emulation follows from the benchmarks' figures."""

import re
import sys
from pathlib import Path

import pytest

HOOKS = Path(__file__).parents[2] / "docs" / "hooks"
FIGURES = {
    "emulate_events_per_s_two_workers": 4_000_000.0,
    "emulate_overhead_ms_a_chunk": 20.0,
    "emulate_two_workers_vs_one": 1.8,
}


@pytest.fixture
def scale(monkeypatch):
    monkeypatch.syspath_prepend(str(HOOKS))
    import emulation_scale

    yield emulation_scale
    sys.modules.pop("emulation_scale")


def test_times_follow_from_the_figures(scale):
    text = scale.render(FIGURES)
    each_ns = 2e9 / 4e6 - 20e6 / 2**20
    assert f"= {each_ns:.0f} ns" in text
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", text, re.MULTILINE))
    assert rows.keys() == {"2", "10", "100"}
    for workers, row in rows.items():
        of_events_s = each_ns / int(workers)
        times = [of_events_s + 1e9 / chunk * 0.02 for chunk in (2**20, 2**22)]
        first, second, read = row.split(" | ")
        assert [first, second] == [scale._text(time_s) for time_s in times]
        assert read == f"{61 / times[1]:.2g} GB/s"
    assert rows["2"].startswith("4.3 min | ")
    assert rows["100"].startswith("24 s | 10 s | ")


def test_two_workers_need_what_was_measured(scale):
    """With the benchmark's chunks the formula gives the benchmark's speed, and the overhead."""
    each_s = 2 / 4e6 - 0.02 / 2**20
    half = scale._time_s(each_s, 0.02, 2, 2**20) - scale.N_EVENTS / 2**20 * 0.02 / 2
    assert half == pytest.approx(scale.N_EVENTS / 4e6)


def test_what_was_not_measured_says_so(scale):
    assert "Not measured yet: `.venv/bin/python benchmarks/run.py emulate_cluster`" in (
        scale.render({})
    )


def test_the_page_asks_for_it_and_no_other_page_is_changed(scale):
    page = (HOOKS.parent / "emulation.md").read_text()
    assert page.count(scale.PLACE) == 1
    assert scale.PLACE not in scale.on_page_markdown(page)
    assert scale.on_page_markdown("as it is") == "as it is"
