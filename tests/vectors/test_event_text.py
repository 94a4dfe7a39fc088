"""Events as text: integers, and decimal numbers that lose nothing."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
import vector_cases as cases
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Port, RawTensor
from trigforge.vectors import EVENT_WRITERS, VectorFormat, text

PORT = Port(name="x", shape=(3,), format=parse_format("fixed<8,2>"))
RAW = np.array([[1, -128, 0], [64, -1, 127]], dtype=np.int64)
EVENTS = RawTensor(format=PORT.format, raw=RAW)


def test_raw_integers_are_written_as_they_are():
    assert text.write_raw(EVENTS) == "1 -128 0\n64 -1 127\n"


def test_values_are_written_to_their_last_digit():
    assert text.write_values(EVENTS) == "0.015625 -2.0 0.0\n1.0 -0.015625 1.984375\n"


@given(st.integers(-(2**63), 2**64 - 1), st.integers(-70, 600))
def test_a_decimal_number_is_exact(raw, fractional_bits):
    written = text.decimal(raw, fractional_bits)
    assert "." in written
    with localcontext() as context:
        context.prec = 2000
        assert Fraction(Decimal(written)) == Fraction(raw) / Fraction(2) ** fractional_bits


@given(st.data(), st.sampled_from([VectorFormat.RAW, VectorFormat.TB_DATA]))
def test_events_survive_as_text(data, vector_format):
    port = data.draw(cases.ports())
    events = cases.make_events(port, data.draw(st.integers(1, 10)), data.draw(st.integers(0, 99)))
    found = cases.parsed(EVENT_WRITERS[vector_format](events))
    assert found.format is vector_format
    back = text.to_events(found.content, port)
    assert np.array_equal(back.raw, events.raw)
    assert back.raw.dtype == events.raw.dtype


def test_what_hls4ml_writes_is_read():
    found = cases.parsed("0.5 1e-2 -3\n  5 .25 1. \n")
    assert found.format is VectorFormat.TB_DATA
    assert found.content.rows[0] == (Fraction(1, 2), Fraction(1, 100), Fraction(-3))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("1 2 3\n1 2\n", "file.txt, line 2: 2 numbers, 3 in the lines before"),
        ("1 2 3\n1 nan 3\n", "file.txt, line 2: 'nan' is no number"),
        ("1 inf\n", "file.txt, line 1: 'inf' is no number"),
        ("1,2,3\n", "file.txt, line 1: '1,2,3' is no number"),
        ("0x10\n", "'0x10' is no number"),
        ("1_000\n", "'1_000' is no number"),
        ("1 \u0663\n", "is no number"),
        ("1" * 800 + "\n", r"111\.\.\.' is no number"),
        ("1e9999\n", "'1e9999' is no number"),
    ],
)
def test_a_line_that_is_no_event_is_refused_with_its_number(content, problem):
    with pytest.raises(InputError, match=problem):
        cases.parsed(content)


def test_more_events_than_a_spec_may_ask_for_are_refused(monkeypatch):
    monkeypatch.setattr(text, "MAX_EVENTS", 2)
    assert len(cases.parsed("1\n2\n").content.rows) == 2
    with pytest.raises(InputError, match="file.txt, line 3: more than 2 events"):
        cases.parsed("1\n2\n3\n")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("1 2\n", "2 numbers an event; x has 3 elements"),
        ("1 2 3\n1 128 3\n", r"event 1, element 1: '128' is not a raw integer of ap_fixed<8,2>"),
        ("0.5 0.5 0.001\n", r"event 0, element 2: '0\.001' is not a value of ap_fixed<8,2>"),
        ("0.5 0.5 2.0\n", "element 2: '2' is not a value"),
        ("0.5 0.5 1e400\n", "element 2: '1000.*' is not a value"),
        ("0.5 0.5 " + "9" * 700 + ".5\n", "element 2: '.*' is not a value"),
    ],
)
def test_numbers_that_the_port_does_not_have_are_refused(content, problem):
    table = cases.parsed(content).content
    with pytest.raises(InputError, match=problem):
        text.to_events(table, PORT)
