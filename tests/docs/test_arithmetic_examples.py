"""The worked examples of docs/arithmetic.md, computed."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from trigforge.core.fixed_point import Overflow, Rounding, cast, parse_format, to_values
from trigforge.core.graph import Dense, FixedPointGraph, Input, Pool, PoolKind
from trigforge.core.records import RawTensor
from trigforge.evaluation import evaluate

PAGE = Path(__file__).parents[2] / "docs" / "arithmetic.md"
GUARD_BITS = 12
"""Fractional bits in which every number of the page is whole."""


def tables(text: str) -> list[list[list[str]]]:
    """Return the cells of each table; the first row is its header."""
    found = re.findall(r"^\|.*\n\|[-:|]+\n(?:\|.*\n)+", text, re.MULTILINE)
    return [
        [[cell.strip() for cell in row.strip("| ").split("|")] for row in table.splitlines()]
        for table in found
    ]


def table(title: str, text: str | None = None) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the first table whose first column has a title."""
    matching = [rows for rows in tables(text or PAGE.read_text()) if rows[0][0] == title]
    header, _, *rows = matching[0]
    return header, rows


def became(number: str, fmt: str) -> float:
    """Return what a number becomes in a format."""
    raw = Fraction(number) * 2**GUARD_BITS
    assert raw.denominator == 1
    target = parse_format(fmt)
    return float(to_values(cast(np.array([int(raw)]), GUARD_BITS, target), target)[0])


def sums(terms: list[int], accumulator: str, weight: float = 1.0) -> float:
    """Return the sum of products that a dense layer of the graph gives for its terms."""
    wide = parse_format("fixed<20,10>")
    nodes = (
        Input(name="x", inputs=(), shape=(len(terms),), format=wide),
        Dense(
            name="sum",
            inputs=("x",),
            shape=(1,),
            format=wide,
            weights=np.full((len(terms), 1), int(weight * 2**10)),
            weight_format=wide,
            bias=np.zeros(1, dtype=np.int64),
            bias_format=wide,
            accumulator=parse_format(accumulator),
        ),
    )
    raw = np.array([[int(Fraction(term) * 2**10) for term in terms]])
    inputs = RawTensor(format=wide, raw=raw)
    outputs = evaluate(FixedPointGraph(name="sums", nodes=nodes), inputs).outputs
    return float(to_values(outputs.raw, outputs.format)[0, 0])


def roundings(text: str | None = None):
    """Yield mode, number and what the page says it becomes."""
    header, rows = table("mode", text)
    for row in rows:
        for number, value in zip(header[1:], row[1:], strict=False):
            if number:
                yield row[0].strip("`"), number, value


def overflows():
    found = [rows for rows in tables(PAGE.read_text()) if rows[0][0] == "mode"][1]
    for row in found[2:]:
        fmt, mode = re.findall(r"`([^`]+)`", row[0])
        for number, value in zip(found[0][1:], row[1:], strict=False):
            if number:
                yield f"{fmt[:-1]},TRN,{mode}>", number, value


def wrong_roundings(text: str | None = None) -> list[tuple[str, str, str]]:
    return [
        (mode, number, value)
        for mode, number, value in roundings(text)
        if became(number, f"fixed<8,8,{mode},WRAP>") != float(value)
    ]


def test_every_rounding_mode_is_shown_and_right():
    assert {mode for mode, _, _ in roundings()} == set(Rounding)
    assert wrong_roundings() == []


def test_a_wrong_number_on_the_page_is_seen():
    text = PAGE.read_text()
    wrong = text.replace("| `RND_CONV` | 2 | 2 |", "| `RND_CONV` | 2 | 3 |")
    assert wrong != text
    assert wrong_roundings(wrong) == [("RND_CONV", "2.5", "3")]


def test_every_overflow_mode_is_shown_and_right():
    shown = list(overflows())
    assert len(shown) == 8 * 7
    for mode in Overflow:
        assert len([fmt for fmt, _, _ in shown if fmt.endswith(f",{mode}>")]) == 14
    for fmt, number, value in shown:
        assert became(number, fmt) == float(value), (fmt, number)


def test_a_cast_rounds_before_it_overflows():
    _, rows = table("7.75 becomes in")
    assert len(rows) == 3
    for fmt, value in rows:
        assert became("7.75", fmt.strip("`")) == float(value)


def test_products_are_rounded_one_by_one():
    _, rows = table("accumulator")
    assert len(rows) == 3
    for fmt, product, total in rows:
        assert became("0.1875", fmt.strip("`")) == float(product)
        assert sums(["0.75"] * 3, fmt.strip("`"), 0.25) == float(total)


def test_sums_wrap_and_saturate_on_the_way():
    header, rows = table("terms, in their order")
    assert len(rows) == 3
    for terms, exact, *values in rows:
        numbers = terms.split(", ")
        assert sum(map(int, numbers)) == int(exact)
        for fmt, value in zip(header[2:], values, strict=True):
            assert sums(numbers, fmt.strip("`")) == float(value)


def test_the_average_is_truncated_towards_zero():
    stated = re.search(
        r"The average of (-?\d), (-?\d) and (-?\d) in whole numbers is (-?\d), "
        r"where `TRN` would make it (-?\d)",
        PAGE.read_text(),
    )
    *cells, average, truncated = map(int, stated.groups())
    whole = parse_format("fixed<8,8>")
    nodes = (
        Input(name="x", inputs=(), shape=(1, 3, 1), format=whole),
        Pool(
            name="average",
            inputs=("x",),
            shape=(1, 1, 1),
            format=whole,
            kind=PoolKind.AVERAGE,
            input_shape=(1, 3, 1),
            window=(1, 3),
            strides=(1, 3),
            padding=(0, 0, 0, 0),
            accumulator=whole,
        ),
    )
    inputs = RawTensor(format=whole, raw=np.array([cells]))
    graph = FixedPointGraph(name="average", nodes=nodes)
    assert evaluate(graph, inputs).outputs.raw.item() == average
    assert sum(cells) // len(cells) == truncated
