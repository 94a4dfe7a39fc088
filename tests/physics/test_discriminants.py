import numpy as np
import pytest

from trigforge.core.config import Trigger
from trigforge.core.errors import SpecError
from trigforge.physics import Discriminant, discriminants

FIVE = ("gluon", "light_quark", "w", "z", "top")


def section(*background, **more):
    return Trigger(background_classes=background, rate_khz=10, **more)


def test_a_signal_is_its_logit_minus_the_largest_of_the_background():
    found = discriminants(section("gluon", "light_quark", signals=["top", "w"]), FIVE, 5)
    assert found == {"top": Discriminant(4, (0, 1)), "w": Discriminant(2, (0, 1))}
    assert found["top"].describe(FIVE) == "top minus the largest of gluon, light_quark"


def test_the_score_of_raw_integers_is_exact():
    raw = np.array([[2**40 + 1, -5, 7], [-(2**40), 3, 2]])
    scores = Discriminant(2, (0, 1)).score(raw)
    assert scores.dtype == np.int64
    assert scores.tolist() == [7 - (2**40 + 1), -1]


def test_narrow_integers_do_not_wrap():
    raw = np.array([[-128, 127]], np.int8)
    assert Discriminant(0, (1,)).score(raw).tolist() == [-255]


def test_the_scores_of_a_float_network_are_floats():
    scores = Discriminant(1, (0,)).score(np.array([[0.25, 1.0]], np.float32))
    assert scores.dtype == np.float64
    assert scores.tolist() == [0.75]
    assert Discriminant(1, (0,)).describe(("qcd", "top")) == "top minus qcd"


def test_all_other_classes_are_signals_where_none_is_named():
    assert list(discriminants(section("gluon", "z"), FIVE, 5)) == ["light_quark", "w", "top"]


def test_one_output_is_the_score_of_every_signal():
    found = discriminants(section("zero_bias"), ("zero_bias", "a", "b"), 1)
    assert found == {"a": Discriminant(0), "b": Discriminant(0)}
    assert found["a"].describe(("output",)) == "output"
    assert found["a"].score(np.array([[3], [5]])).tolist() == [3, 5]


def test_outputs_that_are_no_classes_are_refused():
    with pytest.raises(SpecError, match="trigger: 3 outputs do not fit 5 classes"):
        discriminants(section("gluon"), FIVE, 3)


def test_one_output_has_the_first_class_as_its_background():
    with pytest.raises(SpecError, match=r"of a network with one output .* is \[zero_bias\]"):
        discriminants(section("a"), ("zero_bias", "a", "b"), 1)
