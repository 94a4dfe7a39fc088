"""The ``links`` section of a spec: wrong values are named with their path."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from trigforge.core.config.links import Links
from trigforge.core.errors import SpecError
from trigforge.core.spec_file import parse_spec

MODELS = Path(__file__).parents[3] / "models"
JETS = yaml.safe_load((MODELS / "jet_tagger.yaml").read_text())
GOOD = {"inputs": [0, 1], "outputs": [7], "frames_per_crossing": 8}


def spec_with(links):
    return copy.deepcopy(JETS) | {"links": links}


def message_of(links) -> str:
    with pytest.raises(SpecError) as error:
        parse_spec(spec_with(links), where="spec.yaml")
    return str(error.value)


def test_a_section_has_few_keys_that_must_be_written():
    links = parse_spec(spec_with(GOOD), where="spec.yaml").links
    assert links == Links(
        inputs=(0, 1),
        outputs=(7,),
        frames_per_crossing=8,
        crossings_per_event=1,
        gap_frames=0,
        order="frame_major",
        lead_frames=0,
        orbit_crossings=3564,
        first_crossing=0,
        frames_per_file=1024,
        board=None,
    )
    assert links.window_frames == 8


def test_a_spec_needs_no_links():
    assert parse_spec({**JETS, "links": None}, where="spec.yaml").links is None
    without = {key: value for key, value in JETS.items() if key != "links"}
    assert parse_spec(without, where="spec.yaml").links is None


@pytest.mark.parametrize("name", ["jet_tagger", "top_tagger"])
def test_the_shipped_specs_have_eight_frames_a_crossing(name):
    data = yaml.safe_load((MODELS / f"{name}.yaml").read_text())
    assert parse_spec(data, where=name).links.window_frames == 8


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("inputs", [], "links.inputs: Tuple should have at least 1 item"),
        ("inputs", [0, 1, 0], "links.inputs: link 0 is named twice"),
        ("inputs", [0, 1000], "links.inputs.1: Input should be less than or equal to 999"),
        ("outputs", [-1], "links.outputs.0: Input should be greater than or equal to 0"),
        ("outputs", 3, "links.outputs: Input should be a valid tuple (got 3)"),
        ("frames_per_crossing", 0, "links.frames_per_crossing: Input should be greater"),
        ("frames_per_crossing", 7.5, "links.frames_per_crossing: Input should be a valid integer"),
        ("crossings_per_event", 65, "links.crossings_per_event: Input should be less than"),
        ("gap_frames", -1, "links.gap_frames: Input should be greater than or equal to 0"),
        ("gap_frames", 8, "links: gap_frames: 8 leave nothing of 8 frames"),
        ("order", "major", "links.order: Input should be 'frame_major' or 'link_major'"),
        ("lead_frames", 1020, "links: frames_per_file: 1024 hold no event of 8 frames after 1020"),
        ("frames_per_file", 1025, "links.frames_per_file: Input should be less than or equal"),
        ("frames_per_file", 7, "links: frames_per_file: 7 hold no event of 8 frames after 0 lead"),
        ("board", "a b", "links.board: String should match pattern"),
        ("clock", 1, "links.clock: unknown key"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(key, value, problem):
    assert problem in message_of({**GOOD, key: value})


def test_all_wrong_values_are_named_at_once():
    message = message_of({"inputs": [], "order": "up", "frames_per_crossing": 8})
    assert "3 problem(s)" in message
    for path in ("links.inputs", "links.order", "links.outputs: missing"):
        assert path in message


@pytest.mark.parametrize("key", ["orbit_crossings", "first_crossing"])
def test_an_orbit_is_a_whole_number_of_events(key):
    message = message_of({**GOOD, "crossings_per_event": 6, key: 100})
    assert f"links: {key}: 100 is no multiple of 6 crossings_per_event" in message
    links = {**GOOD, "crossings_per_event": 6, "first_crossing": 12}
    assert parse_spec(spec_with(links), where="spec.yaml").links.window_frames == 48
