"""A schedule as a table, as a page and as a picture: right, complete, the same each time."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console
from schedules import DENSE, SCHEDULE, layer

from trigforge.core.errors import InputError
from trigforge.report import schedule, schedule_plot

SVG = "{http://www.w3.org/2000/svg}"


def shown(entry) -> str:
    console = Console(width=110, markup=False, emoji=False, highlight=False, no_color=True)
    with console.capture() as capture:
        console.print(schedule.table(entry))
    return capture.get()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("│")[1:-1]]


def rows(entry) -> dict[str, list[str]]:
    lines = [cells(line) for line in shown(entry).splitlines() if line.startswith("│")]
    return {name: rest for name, *rest in lines if name}


def page(entry=SCHEDULE) -> str:
    return schedule.page(entry)["timing.md"].decode()


def words(entry) -> list[str]:
    """Return the texts of the picture."""
    root = ET.fromstring(schedule_plot.figure_svg(entry))
    return ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]


def bars(entry):
    """Return what is drawn in each lane: first cycle, end, height."""
    (axes,) = schedule_plot._figure(entry).axes
    found: dict[int, list[tuple[float, float, float]]] = {}
    for patch in axes.patches:
        if patch.get_zorder() == 3:
            lane = round(patch.get_y() - schedule_plot._NEXT_TOP / 2)
            width = patch.get_width()
            found.setdefault(lane, []).append(
                (patch.get_x(), patch.get_x() + width, patch.get_height())
            )
    return found


def test_a_table_has_a_line_a_layer_and_the_totals():
    found = rows(SCHEDULE)
    assert list(found) == ["hidden", "relu", "order", "logits", "all layers"]
    dense = ["1-12", "100", "1,100/500", "1,200", "0.75"]
    assert found["hidden"] == ["Dense", "dsp", "channels in 5", *dense]
    assert found["relu"] == ["Activation", "logic", "", "8-13", "", "", "", ""]
    assert found["logits"][3:] == ["13-21", "", "", "34", ""]
    assert found["all layers"][3:] == ["0-21", "100", "1,100/500", "1,234", "0.75"]


def test_the_title_gives_the_latency_in_every_unit():
    text = shown(SCHEDULE)
    assert "a new event every 16 cycles at 320 MHz" in text
    assert "its result after 21 cycles = 65.6 ns = 2.63 crossings" in text
    assert "registers alone: 15 cycles; buffers: 12,345 bits" in text


def test_a_name_is_no_markup_and_is_not_cut():
    name = "[bold]" + "very_long_name_" * 4
    text = shown(replace(SCHEDULE, layers=(replace(DENSE, name=name), *SCHEDULE.layers[1:])))
    assert max(map(len, text.splitlines())) <= 110
    names = "".join(cells(line)[0] for line in text.splitlines() if line.startswith("│"))
    assert names == f"{name}reluorderlogitsall layers"


def test_the_page_has_the_numbers_of_the_record():
    text = page()
    line = "| hidden | Dense | dsp | channels in 5, pairs of channels | 1-12 | 100 |"
    assert f"{line} 1,100/500 | 1,200 | 0.75 |" in text
    assert "| all layers |  |  |  | 0-21 | 100 | 1,100/500 | 1,234 | 0.75 |" in text
    assert "12,345 bits" in text
    assert "from one event to the next it is at least 16 cycles" in text
    assert "its result after 21 cycles" in text
    assert "registers alone take 15 of the latency" in text
    assert "(timing.svg)" in text


def test_the_page_gives_an_example_of_a_layer_that_is_folded():
    text = page()
    assert "`hidden`, for example, begins in cycle 1" in text
    assert "`phase[1 + d]`" in text
    assert "up to 15" in text
    whole = tuple(replace(entry, n_slots=1) for entry in SCHEDULE.layers)
    assert "for example" not in page(replace(SCHEDULE, layers=whole))


def test_the_page_says_why_a_layer_is_not_built_of_dsps():
    _, _, end = page().partition("## What is not built of DSPs\n")
    relu, order, logits = end.strip().splitlines()
    assert relu.startswith("- `relu` (Activation): logic; casts")
    assert order.startswith("- `order` (Gather): wires; elements are read where they are")
    assert logits == "- `logits` (Dense): distributed arithmetic; the spec asks for it"
    assert page(replace(SCHEDULE, layers=(DENSE,))).endswith("Every layer is.\n")


def test_layers_of_one_reason_share_a_line():
    layers = (*SCHEDULE.layers, layer("relu_2"))
    assert "- `relu` (Activation), `relu_2` (Activation): logic;" in page(
        replace(SCHEDULE, layers=layers)
    )


def test_a_page_of_an_interval_of_one_cycle_speaks_of_no_folding():
    layers = (replace(DENSE, n_slots=1, folding="nothing folded"),)
    text = page(replace(SCHEDULE, interval_cycles=1, layers=layers, latency_bound_cycles=21))
    assert "a new event every cycle at" in text
    assert "all phases are 0" in text
    assert "What must hold" not in text
    assert "something waits" not in text


@pytest.mark.parametrize("interval", [1, 16])
def test_a_page_is_sound_markdown(interval):
    odd = replace(DENSE, name="a|b", n_slots=1)
    text = page(replace(SCHEDULE, interval_cycles=interval, layers=(odd, *SCHEDULE.layers[1:])))
    assert r"| a\|b |" in text
    assert "\n\n\n" not in text
    assert not re.search(r"[{}]|None| \n", text)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.split(r"(?<!\\)\|", line)) for line in table} == {11}


def test_the_picture_on_the_page_is_the_picture():
    assert schedule.page(SCHEDULE)["timing.svg"].decode() == schedule_plot.figure_svg(SCHEDULE)


def test_a_picture_names_layers_dsps_and_ends():
    texts = words(SCHEDULE)
    assert {"event in", "hidden", "relu", "order", "logits", "result out"} <= set(texts)
    assert "100 DSP, reads in 5 of 16 cycles, efficiency 0.75" in texts
    assert "distributed arithmetic, about 900 LUT" in texts
    assert "out_data in cycle 21, after 65.6 ns" in texts
    title = "planted at 320 MHz: a new event every 16 cycles, its result after 21, 100 DSPs"
    assert title in texts


def test_only_what_there_is_is_explained():
    texts = words(SCHEDULE)
    for kind in ("dsp", "logic", "wires", "distributed arithmetic"):
        assert f"reads operands ({kind})" in texts
    assert {"next event", "bunch crossing"} <= set(texts)
    alone = words(replace(SCHEDULE, layers=(DENSE,), interval_cycles=8))
    assert "reads operands (logic)" not in alone
    assert "crossing, next event" in alone
    assert "bunch crossing" not in alone


def test_bars_are_the_cycles_of_the_record_and_of_the_next_event():
    large, small = schedule_plot._HEIGHT, schedule_plot._NEXT_HEIGHT
    found = bars(SCHEDULE)
    assert found[0] == [(1, 17, large), (0, 1, large), (17, 33, small), (16, 17, small)]
    assert found[1] == [(6, 12, large), (1, 6, large), (22, 28, small), (17, 22, small)]
    assert found[2] == [(8, 13, large), (24, 29, small)]
    assert found[5] == [(21, 22, large), (37, 38, small)]


def test_bars_that_would_meet_are_seen_to_meet():
    # A layer that read for longer than the interval would be wanted twice in cycles 17 and 18.
    wrong = replace(SCHEDULE, layers=(replace(DENSE, n_slots=18, last_cycle=24),))
    reads = [bar for bar in bars(wrong)[1] if bar[0] in {1, 17}]
    (_, end, _), (following, _, _) = reads
    assert following < end
    (_, end, _), (following, _, _) = [bar for bar in bars(SCHEDULE)[1] if bar[0] in {1, 17}]
    assert following >= end


@pytest.mark.parametrize("picture_format", schedule_plot.FORMATS)
def test_equal_schedules_give_equal_bytes(picture_format):
    other = replace(SCHEDULE, layers=(replace(DENSE, first_cycle=2), *SCHEDULE.layers[1:]))
    first, second, changed = (
        schedule_plot.draw(entry, picture_format=picture_format)
        for entry in (SCHEDULE, SCHEDULE, other)
    )
    assert first == second
    assert changed != first
    assert not re.search(rb"20\d\d-\d\d-\d\d|CreationDate", first)


def test_each_format_is_what_its_name_says():
    begins = {"svg": b"<?xml", "pdf": b"%PDF-", "png": b"\x89PNG"}
    assert set(begins) == set(schedule_plot.FORMATS)
    for picture_format, magic in begins.items():
        assert schedule_plot.draw(SCHEDULE, picture_format=picture_format).startswith(magic)


def test_kinds_of_layers_differ_in_grey():
    def grey(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    looks = sorted(schedule_plot._LOOKS.values(), key=lambda look: grey(look.reads))
    for darker, lighter in pairwise(looks):
        apart = grey(lighter.reads) - grey(darker.reads)
        assert apart > 0.2 or lighter.hatch != darker.hatch
        assert grey(darker.pipeline) - grey(darker.reads) > 0.2


def test_names_are_text_and_no_formula():
    strange = replace(DENSE, name="a$b_{c$ <&>")
    assert "a$b_{c$ <&>" in words(replace(SCHEDULE, layers=(strange,)))


def test_long_and_empty_schedules_are_drawn():
    long = replace(SCHEDULE, latency_cycles=2000, interval_cycles=1, layers=SCHEDULE.layers * 10)
    assert {"next event (1 in 34)", "bunch crossing (1 in 5)"} <= set(words(long))
    assert "event in" in words(replace(SCHEDULE, layers=(), latency_cycles=1))


def test_a_name_ends_in_the_format_of_the_picture():
    assert schedule_plot.format_of(Path("a/timing.PDF")) == "pdf"
    with pytest.raises(InputError, match=r"\.svg, \.pdf or \.png, not timing\.jpg"):
        schedule_plot.format_of(Path("timing.jpg"))
    with pytest.raises(InputError, match="one of svg, pdf, png, not jpg"):
        schedule_plot.draw(SCHEDULE, picture_format="jpg")
