import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core import packing
from trigforge.core.errors import InputError
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.records import Port


def port_of(width: int, *, signed: bool, n_elements: int) -> Port:
    return Port(name="x", shape=(n_elements,), format=FixedPointFormat(signed, width, width))


@st.composite
def events(draw):
    """A port and raw integers for it, the ends of the range among them."""
    port = port_of(
        draw(st.integers(1, 64)), signed=draw(st.booleans()), n_elements=draw(st.integers(1, 9))
    )
    low, high = port.format.raw_min, port.format.raw_max
    value = st.one_of(st.sampled_from([low, high, 0, min(1, high)]), st.integers(low, high))
    row = st.lists(value, min_size=port.n_elements, max_size=port.n_elements)
    rows = draw(st.lists(row, max_size=4))
    raw = np.array(rows, dtype=port.format.dtype).reshape(len(rows), port.n_elements)
    return port, raw


def packed_by_big_integers(raw, port: Port) -> list[int]:
    width = port.format.width
    return [
        sum((int(value) % (1 << width)) << (width * i) for i, value in enumerate(row))
        for row in raw
    ]


def as_integers(words) -> list[int]:
    return [sum(int(word) << (32 * i) for i, word in enumerate(row)) for row in words]


@given(events())
def test_words_hold_the_bits_that_big_integers_say(case):
    port, raw = case
    words = packing.pack(raw, port)
    assert words.dtype == np.uint32
    assert words.shape == (len(raw), -(-port.n_elements * port.format.width // 32))
    assert as_integers(words) == packed_by_big_integers(raw, port)


@given(events())
def test_unpacking_gives_back_what_was_packed(case):
    port, raw = case
    tensor = packing.unpack(packing.pack(raw, port), port)
    assert tensor.format == port.format
    assert tensor.raw.dtype == port.format.dtype
    np.testing.assert_array_equal(tensor.raw, raw)


def test_bits_above_the_port_do_not_matter_when_unpacking():
    port = port_of(7, signed=True, n_elements=3)
    words = packing.pack(np.array([[-64, 63, -1]]), port)
    high = words | np.uint32(0xFFFFFFFF << 21 & 0xFFFFFFFF)
    np.testing.assert_array_equal(packing.unpack(high, port).raw, [[-64, 63, -1]])


def test_many_events_are_packed_in_parts(monkeypatch):
    port = port_of(13, signed=True, n_elements=5)
    raw = np.random.default_rng(1).integers(-4096, 4096, (100, 5))
    expected = packing.pack(raw, port)
    monkeypatch.setattr(packing, "_BITS_AT_ONCE", 7 * 65)
    np.testing.assert_array_equal(packing.pack(raw, port), expected)
    np.testing.assert_array_equal(packing.unpack(expected, port).raw, raw)


def test_what_does_not_fit_is_refused():
    port = port_of(4, signed=True, n_elements=2)
    with pytest.raises(InputError, match="from 0 to 8 do not fit into port x of ap_fixed<4,4>"):
        packing.pack(np.array([[0, 8]]), port)
    with pytest.raises(InputError, match=r"carries 2 elements an event, not \(1, 3\)"):
        packing.pack(np.array([[0, 1, 2]]), port)
    with pytest.raises(InputError, match=r"takes 1 words an event, not \(1, 2\)"):
        packing.unpack(np.zeros((1, 2), dtype=np.uint32), port)
