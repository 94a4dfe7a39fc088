"""What is said of a tensor: each planted fault, in the words a user reads."""

import dataclasses
import io

import numpy as np
import pytest
from planted_health import planted, planted_inputs
from rich.console import Console

from trigforge.core.fixed_point import parse_format
from trigforge.core.records import RawTensor
from trigforge.evaluation import measure
from trigforge.report import health
from trigforge.report.health import Severity


def text_of(renderable, width=110) -> str:
    out = io.StringIO()
    Console(file=out, width=width, markup=False, soft_wrap=True).print(renderable)
    return out.getvalue()


@pytest.fixture(scope="module")
def tensors():
    return measure(planted(), planted_inputs())


@pytest.fixture(scope="module")
def text(tensors):
    return text_of(health.summarise(tensors))


@pytest.fixture
def x(tensors):
    return tensors[0]


def row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line[1:].split("│")[0].strip() == name]
    return [cell.strip() for cell in line.strip("│").split("│")]


@pytest.mark.parametrize(
    "line",
    [
        "wrap_sum: accumulator fixed<10,10> wraps 2 sums; reaches -1680, for which at least 12 ",
        "held_sum: accumulator fixed<10,10,TRN,SAT> saturates ",
        "big_bias bias: accumulator fixed<6,6> wraps 1 of 1 entries; reaches 40, for which ",
        "wrapping: wraps 6 of 15; reaches 127, for which 8 integer bits would do, not 7",
        "saturating: saturates 6 of 15; reaches 127, for which 8 integer bits would do, not 7",
        "unsigned: wraps 3 of 15; reaches -128, for which a sign and 7 integer bits would ",
        "half_dead: 1 of 3 outputs dead (1)",
        "wide weights: 1 high bit never used",
        "roomy: 2 high bits never used",
        "roomy: 1 low bit always zero",
        "zero: always zero",
        "positive: never negative: the sign is never used",
        "values wrap, in 5 of 22 tensors",
    ],
)
def test_each_planted_fault_is_said(text, line):
    assert any(found.startswith(line) for found in text.splitlines())


def test_a_line_of_the_table_shows_range_bits_overflows_and_the_dead(text):
    assert "use of the formats over 5 events\n" in text
    assert row(text, "roomy")[1:] == [
        "fixed<11,10>",
        "-128 .. 127",
        "-512 .. 512",
        "2+1",
        "20%",
        "",
        "",
    ]
    assert row(text, "saturating")[-2:] == ["6", ""]
    assert row(text, "wrap_sum")[-2] == "+2"
    assert row(text, "half_dead")[-1] == "1/3"


def test_every_tensor_has_one_line_of_full_width(tensors, text):
    names = [line[2:].split(" │")[0].strip() for line in text.splitlines() if line[:1] == "│"]
    assert names == [tensor.name for tensor in tensors]
    assert max(len(line) for line in text.splitlines() if line[:1] in "│┏") <= 110


def test_bits_are_not_called_unused_where_values_wrap(text):
    assert row(text, "wrapping")[4] == "1+0"
    assert "wrapping: 1 high bit never used" not in text


def test_a_layer_without_a_bias_is_no_news(text):
    assert row(text, "wide bias")[4:6] == ["all", "100%"]
    assert "wide bias:" not in text


def test_nothing_wrong_is_said_of_a_sound_tensor(x):
    assert health.remarks(x) == ()
    assert "no value wraps, in 1 tensors" in text_of(health.summarise((x,)))


def test_a_wrap_is_worse_than_a_saturation_than_a_spare_bit(tensors):
    worst = {t.name: health.remarks(t)[0].severity for t in tensors if health.remarks(t)}
    assert worst["wrapping"] is Severity.WRONG
    assert worst["saturating"] is Severity.LIMITED
    assert worst["roomy"] is Severity.SPARE


def test_a_dead_channel_is_named_instead_of_its_elements(x):
    dead = tuple(range(1, 20, 2))
    image = dataclasses.replace(x, shape=(2, 5, 2), dead=dead)
    (remark,) = health.remarks(image)
    assert remark.text == "10 of 20 inputs dead, all of channel 1"


def test_many_dead_elements_are_named_in_runs(x):
    dead = (0, 1, 2, *range(4, 24, 2))
    (remark,) = health.remarks(dataclasses.replace(x, shape=(30,), dead=dead))
    assert remark.text == "13 of 30 inputs dead (0-2, 4, 6, 8, 10, 12, 14, 16, ...)"


def test_without_events_the_table_says_so():
    fmt = planted_inputs().format
    nothing = measure(planted(), RawTensor(format=fmt, raw=np.zeros((0, 3), dtype=np.int64)))
    text = text_of(health.summarise(nothing))
    assert "over 0 events" in text
    assert "x: no values were seen\n" in text
    assert row(text, "roomy")[2:] == [""] * 6


@pytest.mark.parametrize(
    ("raw", "fmt", "expected"),
    [
        (3, "fixed<8,0>", "0.0117"),
        (-2048, "fixed<12,12>", "-2048"),
        (1, "fixed<8,40>", "4.29e+09"),
    ],
)
def test_numbers_stay_short(raw, fmt, expected):
    assert health.value(raw, parse_format(fmt)) == expected
