"""Events on links and back."""

import numpy as np
import pytest
import vector_cases as cases
from hypothesis import given
from hypothesis import strategies as st

from trigforge import vectors
from trigforge.core.errors import InputError, SpecError
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Port, RawTensor
from trigforge.vectors import Flag

SIMPLE = Port(name="bytes", shape=(32,), format=parse_format("uint<8>"))
"""256 bits: four words, of which word k is 0x...(8k+1)(8k)."""
FULL = 0xFFFF_FFFF_FFFF_FFFF


def one_event(links):
    layout = vectors.plan(links, SIMPLE, "outputs")
    raw = np.arange(32, dtype=np.int64)[None, :]
    (frames,) = vectors.to_frames(layout, RawTensor(format=SIMPLE.format, raw=raw), "x0")
    return frames


def word(k: int) -> int:
    return int.from_bytes(bytes(range(8 * k, 8 * k + 8)), "little")


@pytest.mark.parametrize(
    ("order", "expected"),
    [("frame_major", [[0, 1], [2, 3]]), ("link_major", [[0, 2], [1, 3]])],
)
def test_words_go_to_the_next_link_or_to_the_next_frame(order, expected):
    frames = one_event(cases.make_links(outputs=[7, 2], order=order))
    assert frames.links == (7, 2)
    assert frames.words[:2].tolist() == [[word(k) for k in row] for row in expected]
    assert not frames.words[2:].any()


def test_flags_are_right_on_every_frame():
    links = cases.make_links(outputs=[0], frames_per_crossing=6, lead_frames=1)
    flags = one_event(links).flags[:, 0].tolist()
    start = Flag.VALID | Flag.START_OF_PACKET | Flag.START_OF_ORBIT
    wanted = [0, start, Flag.VALID, Flag.VALID, Flag.VALID | Flag.END_OF_PACKET, 0, 0]
    assert flags == [int(flag | Flag.STROBE) for flag in wanted]


def test_a_packet_of_one_frame_starts_and_ends_there():
    frames = one_event(cases.make_links(outputs=[0, 1, 2, 3]))
    assert frames.has(Flag.START_OF_PACKET)[0].all()
    assert frames.has(Flag.END_OF_PACKET)[0].all()


def test_links_without_words_of_their_own_carry_valid_zeros():
    frames = one_event(cases.make_links(outputs=[0, 1, 2]))
    assert frames.words[1].tolist() == [word(3), 0, 0]
    assert frames.carrying[:2].all()
    assert not frames.carrying[2:].any()


@pytest.mark.parametrize(
    ("n_crossings", "first", "expected"), [(1, 0, [0, 6]), (1, 4, [2, 8]), (2, 4, [1, 4, 7])]
)
def test_an_orbit_starts_where_its_first_crossing_is(n_crossings, first, expected):
    links = cases.make_links(
        outputs=[0], crossings_per_event=n_crossings, orbit_crossings=6, first_crossing=first
    )
    layout = vectors.plan(links, cases.PORT, "outputs")
    (frames,) = vectors.to_frames(layout, cases.make_events(cases.PORT, 9), "x0")
    starts = np.nonzero(frames.has(Flag.START_OF_ORBIT)[:, 0])[0]
    assert starts.tolist() == [event * links.window_frames for event in expected]


def test_every_file_begins_with_a_whole_event_and_with_the_orbit():
    links = cases.make_links(outputs=[0])
    layout = vectors.plan(links, cases.PORT, "outputs")
    files = vectors.to_frames(layout, cases.make_events(cases.PORT, 300), "x0")
    assert [len(frames.words) for frames in files] == [1024, 1024, 44 * 8]
    assert all(frames.has(Flag.START_OF_ORBIT)[0, 0] for frames in files)
    back = [vectors.to_events(layout, frames).raw for frames in files]
    assert np.array_equal(np.concatenate(back), cases.make_events(cases.PORT, 300).raw)


def test_too_few_links_are_refused_and_it_is_said_how_many_would_do():
    links = cases.make_links(frames_per_crossing=8, gap_frames=6)
    port = Port(name="image", shape=(16, 16), format=parse_format("ufixed<8,2>"))
    with pytest.raises(SpecError, match=r"links\.inputs: an event of image has 2048 bits, 32 "):
        vectors.plan(links, port, "inputs")
    with pytest.raises(SpecError, match="8 frames with 6 of them idle: 16 links would do"):
        vectors.plan(links, port, "inputs")
    enough = cases.make_links(inputs=range(16), frames_per_crossing=8, gap_frames=6)
    assert vectors.plan(enough, port, "inputs").packet_frames == 2
    fewer = cases.make_links(inputs=range(15), frames_per_crossing=8, gap_frames=6)
    with pytest.raises(SpecError, match="16 links would do"):
        vectors.plan(fewer, port, "inputs")


def test_without_a_links_section_an_example_is_shown():
    with pytest.raises(SpecError, match=r"links: the spec needs this section(.|\n)*outputs: \[0\]"):
        vectors.plan(None, cases.PORT, "outputs")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flags": {(1, 0): Flag.STROBE}}, "frame 1, link 4: idle within the packet of event 0"),
        ({"flags": {(1, 0): Flag.VALID}}, "frame 1, link 4: idle within the packet of event 0"),
        ({"flags": {(10, 0): 33}}, "frame 10, link 4: valid after the packet of event 1"),
        ({"words": {(9, 0): FULL}}, "event 1: a bit beyond those of logits is set"),
    ],
)
def test_frames_that_are_not_whole_packets_are_no_events(change, message):
    links = cases.make_links()
    layout = vectors.plan(links, cases.PORT, "outputs")
    with pytest.raises(InputError, match=message):
        vectors.to_events(layout, cases.edited(cases.make_frames(links=links), **change))


def test_idle_frames_and_other_links_hold_no_events():
    layout = vectors.plan(cases.make_links(outputs=[3]), cases.PORT, "outputs")
    frames = cases.make_frames()
    with pytest.raises(InputError, match=r"no link 3, which carries logits; there are \(4,\)"):
        vectors.to_events(layout, frames)
    layout = vectors.plan(cases.make_links(), cases.PORT, "outputs")
    idle = cases.edited(frames, flags={...: 32})
    with pytest.raises(InputError, match="no valid frame"):
        vectors.to_events(layout, idle)


@given(st.data())
def test_events_survive_the_links(data):
    port = data.draw(cases.ports())
    links = data.draw(cases.links_sections(port))
    layout = vectors.plan(links, port, "outputs")
    events = cases.make_events(port, data.draw(st.integers(1, 12)), data.draw(st.integers(0, 99)))
    files = vectors.to_frames(layout, events, "x0")
    back = np.concatenate([vectors.to_events(layout, frames).raw for frames in files])
    assert np.array_equal(back, events.raw)
    for frames in files:
        assert len(frames.words) <= links.frames_per_file
        carrying = frames.carrying
        assert (carrying.all(axis=1) == carrying.any(axis=1)).all()
        starts, ends = frames.has(Flag.START_OF_PACKET), frames.has(Flag.END_OF_PACKET)
        before = np.pad(carrying, ((1, 0), (0, 0)))[:-1]
        after = np.pad(carrying, ((0, 1), (0, 0)))[1:]
        assert (starts[carrying & ~before]).all()
        assert (ends[carrying & ~after]).all()
        assert (
            starts.sum()
            == ends.sum()
            == len(links.outputs)
            * -(-(len(frames.words) - links.lead_frames) // links.window_frames)
        )
        assert not frames.words[~carrying].any()
