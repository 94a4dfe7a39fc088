import pytest

from trigforge.core.errors import InputError
from trigforge.core.trigger import Curve, Measurement, TriggerPhysics


def test_a_value_lies_in_its_interval():
    with pytest.raises(InputError, match="0.5 is not between the ends of its interval, 0.6 and"):
        Measurement(value=0.5, low=0.6, high=0.7)
    with pytest.raises(InputError, match="nan is not between"):
        Measurement(value=float("nan"), low=0, high=1)


def test_a_curve_has_an_interval_for_every_point():
    with pytest.raises(InputError, match="as many x as y, low and high, not \\[1, 2\\]"):
        Curve(x=(1, 2), y=(1, 2), low=(0,), high=(2, 3))


def test_one_event_stands_for_its_share_of_the_rate():
    physics = TriggerPhysics(
        background="zero_bias",
        n_background=2000,
        background_rate_khz=30_000,
        working_rate_khz=10,
        variable=None,
        signals=(),
    )
    assert physics.event_khz == 15
