from __future__ import annotations

import numpy as np
import pytest

from trigforge import comparison
from trigforge.core.errors import ComparisonError, InputError
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import RawTensor

LINK = parse_format("fixed<6,3>")
RESULT = parse_format("fixed<10,5>")
NAMES = ("gluon", "quark")


@pytest.fixture
def stimulus():
    raw = np.random.default_rng(1).integers(-32, 32, (20, 3))
    return comparison.make_stimulus(RawTensor(format=LINK, raw=raw), seed=4)


@pytest.fixture
def outputs(stimulus):
    return np.random.default_rng(2).integers(-512, 512, (len(stimulus.inputs.raw), 2))


def compared(stimulus, expected, found, formats=(RESULT, RESULT), names=NAMES):
    tensors = [
        RawTensor(format=fmt, raw=np.array(raw))
        for fmt, raw in zip(formats, (expected, found), strict=True)
    ]
    return comparison.compare(("exact", tensors[0]), ("C", tensors[1]), stimulus, names)


def test_equal_results_agree(stimulus, outputs):
    agreement = compared(stimulus, outputs, outputs)
    assert agreement.met
    assert (agreement.reference, agreement.candidate) == ("exact", "C")
    assert agreement.n_values == outputs.size
    assert agreement.n_events == len(outputs)
    assert agreement.n_different == agreement.n_different_events == 0
    assert agreement.first_difference is None


@pytest.mark.parametrize("bit", range(10))
def test_one_flipped_bit_is_found_and_located(stimulus, outputs, bit):
    found = outputs.copy()
    found[23, 1] ^= 1 << bit
    found[23, 1] = (found[23, 1] + 512) % 1024 - 512
    agreement = compared(stimulus, outputs, found)
    assert not agreement.met
    assert agreement.n_different == agreement.n_different_events == 1
    first = agreement.first_difference
    assert (first.event, first.origin) == (23, "alternating[0]")
    assert (first.output, first.output_name) == (1, "quark")
    assert (first.reference, first.candidate) == (outputs[23, 1], found[23, 1])


def test_the_first_of_several_differences_is_told_and_all_are_counted(stimulus, outputs):
    found = outputs.copy()
    found[5:8] ^= 1
    found[100, 0] ^= 1
    agreement = compared(stimulus, outputs, found)
    assert agreement.n_different == 7
    assert agreement.n_different_events == 4
    assert agreement.first_difference.origin == "held_out[5]"
    assert agreement.first_difference.output_name == "gluon"


@pytest.mark.parametrize("text", ["ufixed<10,5>", "fixed<11,5>", "fixed<10,6>"])
def test_results_in_other_formats_are_no_comparison(stimulus, outputs, text):
    other = parse_format(text)
    raw = np.abs(outputs)
    with pytest.raises(ComparisonError, match=r"cannot be compared: ap_fixed<10,5> is not"):
        compared(stimulus, raw, raw, formats=(RESULT, other))


def test_rounding_modes_say_how_a_value_came_about_and_not_what_it_is(stimulus, outputs):
    other = parse_format("fixed<10,5,RND_CONV,SAT>")
    assert compared(stimulus, outputs, outputs, formats=(RESULT, other)).met


@pytest.mark.parametrize("change", [lambda raw: raw[:-1], lambda raw: raw[:, :1]])
def test_results_of_other_shapes_are_no_comparison(stimulus, outputs, change):
    with pytest.raises(ComparisonError, match=r"exact and C cannot be compared: .* values for"):
        compared(stimulus, outputs, change(outputs))


def test_results_for_another_stimulus_are_no_comparison(stimulus, outputs):
    with pytest.raises(ComparisonError, match="values for 540 events"):
        compared(stimulus, outputs[:-1], outputs[:-1])


def test_every_output_needs_a_name(stimulus, outputs):
    with pytest.raises(ComparisonError, match="exact and C: 1 names for 2 outputs"):
        compared(stimulus, outputs, outputs, names=("gluon",))


def test_without_values_nothing_agrees():
    empty = comparison.Stimulus(
        inputs=RawTensor(format=LINK, raw=np.zeros((0, 3), dtype=np.int64)), blocks=()
    )
    agreement = compared(empty, np.zeros((0, 2), dtype=int), np.zeros((0, 2), dtype=int))
    assert agreement.n_different == 0
    assert not agreement.met


@pytest.mark.parametrize("text", ["fixed<6,3>", "ufixed<8,2>", "fixed<12,12>", "ufixed<1,1>"])
def test_the_corners_hold_the_ends_of_the_grid_and_zero(text):
    fmt = parse_format(text)
    held_out = RawTensor(format=fmt, raw=np.zeros((2, 4), dtype=np.int64))
    stimulus = comparison.make_stimulus(held_out, seed=1)
    blocks = blocks_of(stimulus)
    assert (blocks["all_smallest"] == fmt.raw_min).all()
    assert (blocks["all_largest"] == fmt.raw_max).all()
    assert (blocks["all_zero"] == 0).all()
    low, high = fmt.raw_min, fmt.raw_max
    assert blocks["alternating"].tolist() == [[low, high, low, high], [high, low, high, low]]
    np.testing.assert_array_equal(blocks["one_largest"], np.eye(4, dtype=int) * high)
    assert stimulus.inputs.format == fmt


def blocks_of(stimulus) -> dict[str, np.ndarray]:
    names = [name for name, _ in stimulus.blocks]
    ends = np.cumsum([n for _, n in stimulus.blocks])
    return dict(zip(names, np.split(stimulus.inputs.raw, ends[:-1]), strict=True))


def test_the_held_out_events_come_first_and_unchanged(stimulus):
    raw = np.random.default_rng(1).integers(-32, 32, (20, 3))
    np.testing.assert_array_equal(blocks_of(stimulus)["held_out"], raw)


def test_random_events_cover_the_whole_grid_and_follow_the_seed(stimulus):
    random = blocks_of(stimulus)["random"]
    assert random.shape == (comparison.N_RANDOM, 3)
    assert set(random.ravel()) == set(range(-32, 32))
    held_out = RawTensor(format=LINK, raw=blocks_of(stimulus)["held_out"].copy())
    again = comparison.make_stimulus(held_out, seed=4)
    other = comparison.make_stimulus(held_out, seed=5)
    np.testing.assert_array_equal(again.inputs.raw, stimulus.inputs.raw)
    assert comparison.digest(again) == comparison.digest(stimulus)
    assert comparison.digest(other) != comparison.digest(stimulus)
    assert (blocks_of(other)["random"] != random).any()


def test_the_digest_knows_the_format():
    raw = np.zeros((2, 3), dtype=np.int64)
    digests = {
        comparison.digest(
            comparison.Stimulus(inputs=RawTensor(format=fmt, raw=raw.copy()), blocks=())
        )
        for fmt in (LINK, RESULT)
    }
    assert len(digests) == 2


def test_an_event_is_named_by_its_block(stimulus):
    assert stimulus.block_of(0) == "held_out[0]"
    assert stimulus.block_of(19) == "held_out[19]"
    assert stimulus.block_of(20) == "all_smallest[0]"
    assert stimulus.block_of(24) == "alternating[1]"
    assert stimulus.block_of(len(stimulus.inputs.raw) - 1) == "random[511]"
    with pytest.raises(InputError, match="event 540 is not one of the 540 events"):
        stimulus.block_of(540)


@pytest.mark.parametrize(("n_wanted", "n_kept"), [(5, 5), (20, 20), (99, 20)])
def test_a_project_carries_some_held_out_events_and_all_corners(stimulus, n_wanted, n_kept):
    vectors = comparison.project_vectors(stimulus, n_wanted)
    np.testing.assert_array_equal(vectors.raw[:n_kept], stimulus.inputs.raw[:n_kept])
    np.testing.assert_array_equal(vectors.raw[n_kept:], stimulus.inputs.raw[20:])
    assert vectors.format == LINK
