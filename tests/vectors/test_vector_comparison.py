"""Captured vectors against expected ones: latency is no difference, everything else is."""

import json

import numpy as np
import pytest
import vector_cases as cases
from hypothesis import given
from hypothesis import strategies as st

from trigforge import vectors
from trigforge.core.config.links import Links
from trigforge.core.errors import ComparisonError, InputError, SpecError
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Port, RawTensor
from trigforge.report import document
from trigforge.vectors import Flag, Frames, VectorFormat
from trigforge.vectors.formats import CARRIED, EVENT_WRITERS, Captured
from trigforge.vectors.summary import describe, summarise

LINKS = cases.make_links()
OUTPUTS = cases.outputs_of(LINKS)
IDLE = int(Flag.STROBE)


def held(frames: Frames, vector_format: VectorFormat = VectorFormat.EMP2) -> Captured:
    """Return frames as they come out of a file."""
    return cases.parsed(cases.text_of(frames, vector_format))


def compared(expected: Frames, captured: Frames, outputs=None, **options):
    return vectors.compare(held(expected), held(captured), outputs, **options)


def flipped(frames: Frames, frame: int, column: int, bit: int) -> Frames:
    word = int(frames.words[frame, column]) ^ (1 << bit)
    return cases.edited(frames, words={(frame, column): word})


@pytest.mark.parametrize("outputs", [None, OUTPUTS])
def test_equal_frames_are_equal(outputs):
    frames = cases.make_frames()
    found = compared(frames, frames, outputs)
    assert found.met
    assert (found.n_compared, found.n_different, found.shift_frames) == (8, 0, 0)
    assert found.links[0].n_compared == 8


@pytest.mark.parametrize("n_frames", [1, 7, 33])
def test_latency_is_no_difference(n_frames):
    frames = cases.make_frames()
    later = compared(frames, cases.shifted(frames, n_frames), OUTPUTS)
    earlier = compared(cases.shifted(frames, n_frames), frames, OUTPUTS)
    assert later.met
    assert earlier.met
    assert (later.shift_frames, earlier.shift_frames) == (n_frames, -n_frames)


@pytest.mark.parametrize("captured", cases.FRAME_FORMATS)
@pytest.mark.parametrize("expected", cases.FRAME_FORMATS)
def test_formats_may_be_mixed(expected, captured):
    frames = cases.make_frames()
    late = cases.shifted(frames, 3)
    assert vectors.compare(held(frames, expected), held(late, captured), OUTPUTS).met
    wrong = flipped(late, 3 + 8, 0, 2)
    found = vectors.compare(held(frames, expected), held(wrong, captured), OUTPUTS)
    assert (found.n_different, found.met) == (1, False)
    assert found.expected_format == expected.value


def test_idle_frames_at_the_end_are_no_difference():
    frames = cases.make_frames()
    words, flags = np.zeros((50, 1), dtype=np.uint64), np.full((50, 1), IDLE, dtype=np.uint8)
    longer = Frames(
        board="",
        links=frames.links,
        words=np.concatenate([frames.words, words]),
        flags=np.concatenate([frames.flags, flags]),
    )
    assert compared(frames, longer, OUTPUTS).met
    assert compared(longer, frames, OUTPUTS).met
    garbage = cases.edited(longer, words={(60, 0): 7})
    assert compared(frames, garbage, OUTPUTS).met, "a word that is not valid does not count"


def test_a_flipped_bit_is_found_with_link_frame_event_and_output():
    frames = cases.make_frames()
    before = cases.make_events(cases.PORT, 4).raw[2]
    captured = cases.shifted(flipped(frames, 16, 0, 37), 5)
    found = compared(frames, captured, OUTPUTS)
    (difference,) = found.differences
    (output,) = difference.outputs
    assert (difference.kind, difference.link, difference.event) == ("word", 4, 2)
    assert (difference.expected_frame, difference.captured_frame) == (16, 21)
    assert (output.index, output.name) == (2, "w")
    assert output.expected == before[2]
    assert abs(output.captured - before[2]) == 2
    assert (found.n_different, found.n_different_events) == (1, 1)
    assert describe(difference).startswith(
        "event 2, link 4, frame 16 (captured 21): another word: expected "
    )
    assert f"output 2 (w): expected {before[2]}, captured {output.captured}" in describe(difference)


def test_a_bit_of_an_output_in_two_words_is_found_in_either():
    frames = cases.make_frames()
    for frame, bit in ((0, 63), (1, 0)):
        (difference,) = compared(frames, flipped(frames, frame, 0, bit), OUTPUTS).differences
        assert [output.index for output in difference.outputs] == [3]


def test_every_output_of_a_wrong_word_is_named():
    frames = cases.make_frames()
    wrong = flipped(flipped(frames, 0, 0, 0), 0, 0, 20)
    (difference,) = compared(frames, wrong, OUTPUTS).differences
    assert [output.name for output in difference.outputs] == ["gluon", "light_quark"]


def test_a_bit_beyond_the_event_is_a_difference_of_no_output():
    frames = cases.make_frames()
    (difference,) = compared(frames, flipped(frames, 1, 0, 40), OUTPUTS).differences
    assert (difference.kind, difference.outputs) == ("filling", ())
    assert "bits are set beyond those of the event" in describe(difference)


def test_without_a_spec_the_event_comes_from_the_starts_of_packets():
    frames = cases.make_frames()
    (difference,) = compared(frames, flipped(frames, 25, 0, 3)).differences
    assert (difference.event, difference.outputs) == (3, ())
    v1 = held(frames, VectorFormat.EMP1), held(flipped(frames, 25, 0, 3), VectorFormat.EMP1)
    found = vectors.compare(*v1)
    assert (found.differences[0].event, found.n_different_events) == (None, None)
    assert describe(found.differences[0]).startswith("link 4, frame 25 (captured 25): another word")


def test_a_lost_idle_frame_is_a_difference():
    frames = cases.make_frames()
    found = compared(frames, cases.without_frame(frames, 12), OUTPUTS)
    assert not found.met
    first = found.differences[0]
    assert (first.kind, first.expected_frame, first.captured_frame) == ("surplus", 15, 15)
    assert found.n_missing == found.n_surplus == 2


def test_a_lost_valid_frame_is_a_difference():
    frames = cases.make_frames()
    found = compared(frames, cases.without_frame(frames, 9), OUTPUTS)
    first = found.differences[0]
    assert (first.kind, first.event, first.expected_frame) == ("missing", 1, 9)
    assert [(output.name, output.captured) for output in first.outputs] == [
        ("z", None),
        ("top", None),
    ]
    assert "output 4 (top): expected" in describe(first)
    assert "not captured" in describe(first)


def test_a_capture_that_ends_early_is_a_difference():
    frames = cases.make_frames()
    short = Frames(board="", links=frames.links, words=frames.words[:25], flags=frames.flags[:25])
    found = compared(frames, short, OUTPUTS)
    assert (found.n_missing, found.n_different, found.n_compared) == (1, 1, 7)
    assert found.differences[0].expected_frame == 25
    assert compared(short, frames, OUTPUTS).n_surplus == 1


def test_a_capture_of_nothing_is_a_difference_and_nothing_expected_an_error():
    frames = cases.make_frames()
    idle = cases.edited(frames, flags={...: IDLE})
    found = compared(frames, idle, OUTPUTS)
    assert (found.met, found.n_compared, found.n_missing, found.shift_frames) == (False, 0, 8, None)
    assert found.differences[0].captured_frame is None
    with pytest.raises(InputError, match="nothing is expected: no frame of the expected file"):
        compared(idle, frames, OUTPUTS)


def test_a_word_that_is_not_strobed_does_not_count():
    frames = cases.make_frames()
    found = compared(frames, cases.edited(frames, flags={(8, 0): Flag.VALID}), OUTPUTS)
    assert (found.n_missing, found.differences[0].event) == (1, 1)


def test_flags_of_packets_are_compared_where_both_say_them():
    frames = cases.make_frames()
    plain = cases.edited(frames, flags={(9, 0): Flag.VALID | Flag.STROBE})
    found = compared(frames, plain, OUTPUTS)
    assert (found.differences[0].kind, found.n_different) == ("flags", 1)
    assert "(end of packet), captured" in describe(found.differences[0])
    assert "(no flag)" in describe(found.differences[0])
    assert compared(frames, plain, OUTPUTS, words_only=True).met
    assert vectors.compare(held(frames), held(plain, VectorFormat.EMP1), OUTPUTS).met


def test_where_an_orbit_starts_is_a_matter_of_latency():
    frames = cases.make_frames()
    flags = int(frames.flags[0, 0]) & ~Flag.START_OF_ORBIT
    assert compared(frames, cases.edited(frames, flags={(0, 0): flags}), OUTPUTS).met


def test_an_error_flag_is_a_difference_even_if_only_words_count():
    frames = cases.make_frames()
    broken = cases.edited(frames, flags={(0, 0): int(frames.flags[0, 0]) | Flag.ERROR})
    files = held(frames), held(broken, VectorFormat.APX)
    found = vectors.compare(*files, OUTPUTS, words_only=True)
    assert found.differences[0].kind == "flags"
    assert "(error)" in describe(found.differences[0])


def two_links(**changes):
    return cases.make_links(outputs=[3, 9], **changes)


@pytest.mark.parametrize("order", ["frame_major", "link_major"])
def test_links_are_found_by_number_not_by_column(order):
    links = two_links(order=order)
    frames = cases.make_frames(links=links)
    swapped = frames.of_links((9, 3))
    outputs = cases.outputs_of(links)
    assert compared(frames, swapped, outputs).met
    (difference,) = compared(frames, flipped(swapped, 0, 0, 0), outputs).differences
    assert (difference.link, difference.outputs[0].index) == (9, 3)


def test_a_link_that_is_late_on_its_own_is_a_difference():
    frames = cases.make_frames(links=two_links())
    words, flags = frames.words.copy(), frames.flags.copy()
    words[:, 1], flags[:, 1] = np.roll(words[:, 1], 1), np.roll(flags[:, 1], 1)
    late = Frames(board="", links=frames.links, words=words, flags=flags)
    found = compared(frames, late, cases.outputs_of(two_links()))
    assert found.n_different == 8
    assert [count.n_different for count in found.links] == [0, 8]


def test_other_captured_links_are_left_out_and_named():
    links = two_links()
    frames = cases.make_frames(links=links)
    expected = frames.of_links((9,))
    found = compared(expected, frames)
    assert found.met
    assert found.links_ignored == (3,)
    assert "captured links that nothing is expected of: 3" in list(summarise(found))
    with pytest.raises(ComparisonError, match=r"link 3 is expected but not among .*\(9,\)"):
        compared(frames, expected)


def test_files_that_do_not_fit_the_spec_are_refused():
    frames = cases.make_frames()
    with pytest.raises(ComparisonError, match=r"links are \(4,\), logits has \(3, 9\)"):
        compared(frames, frames, cases.outputs_of(two_links()))
    without = vectors.Described(port=cases.PORT, links=None, names=())
    with pytest.raises(SpecError, match="links: the spec needs this section"):
        compared(frames, frames, without)
    with pytest.raises(ComparisonError, match="emp2 and raw cannot be compared: one holds frames"):
        vectors.compare(held(frames), cases.parsed("1 2\n"))


def test_differences_are_counted_all_and_listed_some():
    links = cases.make_links(frames_per_crossing=2)
    frames = cases.make_frames(200, links)
    wrong = Frames(board="", links=frames.links, words=frames.words ^ 1, flags=frames.flags)
    found = compared(frames, wrong, cases.outputs_of(links))
    assert (found.n_different, len(found.differences), found.n_different_events) == (400, 100, 200)
    lines = list(summarise(found))
    assert "and 380 more" in lines
    assert lines[-1] == "400 frames compared, 400 differ, in 200 events"


def test_the_record_is_json():
    frames = cases.make_frames()
    found = compared(frames, flipped(frames, 16, 0, 37), OUTPUTS)
    record = json.loads(document.dump(found))
    assert record["met"] is False
    assert record["differences"][0]["outputs"][0]["name"] == "w"
    assert int(record["differences"][0]["expected"], 16) == int(frames.words[16, 0])


@given(st.data())
def test_any_flipped_bit_is_found_where_it_is(data):
    port = data.draw(cases.ports())
    links: Links = data.draw(cases.links_sections(port))
    layout = vectors.plan(links, port, "outputs")
    n_events = data.draw(st.integers(1, 4))
    events = cases.make_events(port, n_events)
    frames = vectors.to_frames(layout, events, "x0")[0]
    event = data.draw(st.integers(0, min(n_events, layout.events_per_file) - 1))
    element = data.draw(st.integers(0, port.n_elements - 1))
    bit = data.draw(st.integers(0, port.format.width - 1))
    wrong = events.raw.copy()
    flipped_raw = int(wrong[event, element]) & ((1 << port.format.width) - 1) ^ (1 << bit)
    if port.format.signed and flipped_raw >> (port.format.width - 1):
        flipped_raw -= 1 << port.format.width
    wrong[event, element] = flipped_raw
    captured = vectors.to_frames(layout, RawTensor(format=port.format, raw=wrong), "x0")[0]
    written = data.draw(st.sampled_from(cases.FRAME_FORMATS))
    late = cases.shifted(captured, data.draw(st.integers(0, 9)))
    outputs = vectors.Described(port=port, links=links, names=())
    found = vectors.compare(held(frames), held(late, written), outputs)
    (difference,) = found.differences
    assert difference.event == event
    assert [output.index for output in difference.outputs] == [element]
    assert difference.outputs[0].captured == flipped_raw
    word = (element * port.format.width + bit) // 64
    n_links, packet = len(links.outputs), layout.packet_frames
    column, frame = (
        (word % n_links, word // n_links)
        if links.order == "frame_major"
        else (word // packet, word % packet)
    )
    assert difference.link == links.outputs[column]
    assert difference.expected_frame == links.lead_frames + event * links.window_frames + frame


@given(st.data())
def test_a_comparison_of_any_frames_counts_what_differs(data):
    """The count is done again here, frame by frame, on Python's own integers."""
    every = int(CARRIED[VectorFormat.EMP2])
    expected = data.draw(cases.random_frames(every))
    captured = cases.edited(expected)
    for _ in range(data.draw(st.integers(0, 4))):
        where = (
            data.draw(st.integers(0, len(expected.words) - 1)),
            data.draw(st.integers(0, len(expected.links) - 1)),
        )
        captured = cases.edited(captured, flags={where: data.draw(st.integers(0, 63)) & every})
    if not expected.carrying.any():
        return
    first = int(np.nonzero(expected.carrying.any(axis=1))[0][0])
    if not captured.carrying.any() or captured.carrying.any(axis=1).argmax() != first:
        return
    found = compared(expected, captured)
    n_different = 0
    packet = Flag.START_OF_PACKET | Flag.END_OF_PACKET
    for before, after in zip(expected.flags.flat, captured.flags.flat, strict=True):
        carry = [(int(flags) & 33) == 33 for flags in (before, after)]
        n_different += carry[0] != carry[1] or (all(carry) and bool((before ^ after) & packet))
    assert found.n_different == n_different


BYTES = Port(name="y", shape=(2,), format=parse_format("fixed<8,2>"))
TWO = vectors.Described(port=BYTES, links=None, names=("qcd", "top"))


def events_text(vector_format, rows):
    raw = RawTensor(format=BYTES.format, raw=np.array(rows, dtype=np.int64))
    return cases.parsed(EVENT_WRITERS[vector_format](raw))


@pytest.mark.parametrize("vector_format", [VectorFormat.RAW, VectorFormat.TB_DATA])
@pytest.mark.parametrize("outputs", [None, TWO])
def test_events_are_compared_one_by_one(vector_format, outputs):
    expected = events_text(vector_format, [[1, 2], [3, 4], [5, -6]])
    assert vectors.compare(expected, expected, outputs).met
    other = events_text(vector_format, [[1, 2], [3, 5]])
    found = vectors.compare(expected, other, outputs)
    assert (found.met, found.n_compared, found.n_different, found.n_missing) == (False, 2, 2, 1)
    first, last = found.differences
    assert (first.event, first.outputs[0].index) == (1, 1)
    assert (last.kind, last.event) == ("missing", 2)
    lines = list(summarise(found))
    name = "output 1" if outputs is None else "top"
    assert lines[0].startswith(f"event 1: another value; output 1 ({name}): expected ")
    assert lines[1] == "event 2: expected, not captured"
    assert lines[-1] == "2 events compared, 2 differ (1 missing, 0 surplus)"
    assert vectors.compare(other, expected, outputs).n_surplus == 1


def test_values_and_raw_integers_are_compared_by_the_spec_only():
    files = [
        events_text(vector_format, [[1, 2], [3, 4]])
        for vector_format in (VectorFormat.RAW, VectorFormat.TB_DATA)
    ]
    assert vectors.compare(*files, TWO).met
    with pytest.raises(ComparisonError, match="raw and tb_data cannot be compared without a spec"):
        vectors.compare(*files)
    with pytest.raises(ComparisonError, match="2 numbers an event are expected, 3 captured"):
        vectors.compare(files[0], cases.parsed("1 2 3\n"))
    with pytest.raises(InputError, match="3 numbers an event; y has 2 elements"):
        vectors.compare(files[0], cases.parsed("1 2 3\n"), TWO)


def test_files_are_named_in_errors(tmp_path):
    good, idle = tmp_path / "good.txt", tmp_path / "idle.txt"
    frames = cases.make_frames()
    good.write_text(cases.text_of(frames))
    idle.write_text(cases.text_of(cases.edited(frames, flags={...: IDLE})))
    assert vectors.compare_files(good, good).met
    assert not vectors.compare_files(good, idle).met
    with pytest.raises(InputError, match=r"good\.txt against .*idle\.txt: nothing is expected"):
        vectors.compare_files(idle, good)
    good.write_text(cases.text_of(frames)[:-30])
    with pytest.raises(InputError, match=r"good\.txt, line 36: cut short: no end of line"):
        vectors.compare_files(good, idle)
