from __future__ import annotations

import copy

import pytest
import tiny_models

from trigforge.core.config import CROSSING_VARIABLES, JetsHlf, TopImages
from trigforge.core.errors import SpecError
from trigforge.core.spec_file import parse_spec

KINDS = ("calorimeter_regions", "trigger_objects")


def parsed(kind, **changes):
    """Parse the tiny spec of a kind; keys are ``section__key``, ``...`` takes one out."""
    data = copy.deepcopy(tiny_models.spec_data(kind))
    for path, value in changes.items():
        section, key = path.split("__")
        if value is ...:
            del data[section][key]
        else:
            data[section][key] = value
    return parse_spec(data, where="spec.yaml")


def message_of(kind, **changes):
    with pytest.raises(SpecError) as error:
        parsed(kind, **changes)
    return str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_crossings_are_a_valid_spec(kind):
    sample = parsed(kind).sample
    assert sample.kind == kind
    assert sample.class_names == ("zero_bias", *sample.signals)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("zero_bias_events", 99, "greater than or equal to 100 (got 99)"),
        ("signal_events", 9, "greater than or equal to 10 (got 9)"),
        ("signals", [], "at least 1 item"),
        ("signals", ["top_pair", "top_pair"], "each signal once, not top_pair, top_pair"),
        ("pileup", 0, "greater than 0 (got 0)"),
        ("pileup", 301, "less than or equal to 300 (got 301)"),
        ("pool_collisions", 99, "greater than or equal to 100 (got 99)"),
        ("test_fraction", 1, "less than 1"),
        ("seed", 0, "greater than or equal to 1"),
        ("seed", ..., "missing"),
        ("pileup", ..., "missing"),
        ("jets_per_class", 100, "unknown key"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_key_of_crossings_is_named(kind, key, value, expected):
    message = message_of(kind, **{f"sample__{key}": value})
    assert f"sample.{key}" in message
    assert expected in message


def test_an_unknown_signal_is_named_with_the_known_ones():
    message = message_of("trigger_objects", sample__signals=["top_pair", "higgs"])
    assert "sample.signals.1: Input should be 'top_pair', 'higgs_tau_tau'" in message


def test_regions_need_a_link_of_their_bits():
    message = message_of("calorimeter_regions", quantization__link_format="ufixed<9,2>")
    assert "cannot carry 8-bit unsigned pixels; write ufixed<8,...>" in message
    message = message_of("calorimeter_regions", sample__region_bits=17)
    assert "sample.region_bits: Input should be less than or equal to 16" in message


@pytest.mark.parametrize("link", ["ufixed<13,13>", "fixed<12,12>", "fixed<13,13,TRN,SAT>"])
def test_objects_need_a_link_that_holds_their_integers(link):
    message = message_of("trigger_objects", quantization__link_format=link)
    assert "cannot carry the integers of trigger objects, -225 to 4095; write fixed<13" in message


def test_objects_are_standardised_and_not_for_convolutions():
    message = message_of("trigger_objects", quantization__input_format=...)
    assert "quantization.input_format: trigger_objects features are standardised" in message
    data = tiny_models.spec_data("trigger_objects")
    data["network"] = tiny_models.spec_data("calorimeter_regions")["network"]
    with pytest.raises(SpecError, match=r"conv2d_student needs images; trigger_objects has 57"):
        parse_spec(data, where="spec.yaml")


def test_a_map_of_regions_too_small_for_its_block_is_refused():
    block = {"filters": 2, "kernel": 4, "stride": 4, "padding": "valid"}
    data = tiny_models.spec_data("calorimeter_regions")
    data["network"]["blocks"] = [block, block]
    with pytest.raises(SpecError, match=r"network.blocks.1: a 4x3 map is too small for kernel 4"):
        parse_spec(data, where="spec.yaml")


def test_every_kind_names_its_classes_and_images_their_shape():
    regions, objects = (parsed(kind).sample for kind in KINDS)
    jets, images = (tiny_models.make_spec(kind).sample for kind in ("jets_hlf", "top_images"))
    assert isinstance(jets, JetsHlf)
    assert jets.class_names == ("gluon", "light_quark", "w", "z", "top")
    assert isinstance(images, TopImages)
    assert (images.class_names, images.image_shape) == (("qcd", "top"), (8, 8))
    assert regions.image_shape == (18, 14)
    assert objects.class_names[0] == "zero_bias"
    assert CROSSING_VARIABLES[-1] == "n_interactions"
