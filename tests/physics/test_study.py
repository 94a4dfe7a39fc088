import numpy as np
import pytest

from trigforge import physics
from trigforge.core.config import Acceptance, Trigger
from trigforge.core.errors import InputError
from trigforge.physics import Discriminant, HeldOut, LotCounts, Outputs, ScoreCounts

NAMES = ("zero_bias", "top_pair", "leptoquark_pair")
TRIGGER = Trigger(
    background_classes=("zero_bias",),
    background_rate_khz=1000,
    rate_khz=20,
    turn_on={"variable": "generated_ht_gev", "n_bins": 4},
)


def events(n_background=2000, n_signal=300, seed=1):
    random = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2], [n_background, n_signal, n_signal])
    exact = random.normal(size=len(labels)) + np.array([0, 1.5, 3])[labels]
    raw = np.rint(32 * (exact + 0.1 * random.normal(size=len(labels)))).astype(np.int64)
    return labels, exact, raw


def held_out(labels, *outputs, variable=None):
    named = zip(("float network", "quantised network", "firmware"), outputs, strict=False)
    return HeldOut(
        class_names=NAMES,
        labels=labels,
        outputs=tuple(Outputs(implementation=n, values=v[:, None]) for n, v in named),
        variable=variable,
    )


def test_every_implementation_is_measured_on_the_same_events():
    labels, exact, raw = events()
    found = physics.study(TRIGGER, held_out(labels, exact, raw, raw, variable=exact))
    assert (found.background, found.n_background) == ("zero_bias", 2000)
    assert (found.background_rate_khz, found.working_rate_khz) == (1000, 20)
    assert found.variable == "generated_ht_gev"
    assert [signal.name for signal in found.signals] == ["top_pair", "leptoquark_pair"]
    for index, signal in enumerate(found.signals, start=1):
        assert (signal.n_events, signal.discriminant, signal.streamed) == (300, "output", None)
        for result, score in zip(signal.results, (exact, raw, raw), strict=True):
            background, of_signal = score[labels == 0], score[labels == index]
            assert (background >= result.threshold).sum() <= 40
            assert result.rate_khz.value == (background >= result.threshold).mean() * 1000
            assert result.efficiency.value == (of_signal >= result.threshold).mean()
            assert len(result.turn_on.x) == 4
            assert np.mean(result.turn_on.y) == pytest.approx(result.efficiency.value)
        assert isinstance(signal.results[2].threshold, int)


def test_firmware_that_is_the_quantised_network_has_the_same_numbers():
    labels, exact, raw = events()
    found = physics.study(TRIGGER, held_out(labels, exact, raw, raw))
    for signal in found.signals:
        first, second = signal.results[1:]
        assert (first.threshold, first.efficiency, first.roc) == (
            second.threshold,
            second.efficiency,
            second.roc,
        )
        assert signal.losses[0].efficiency == signal.losses[1].efficiency
        assert {loss.reference for loss in signal.losses} == {"float network"}


def test_a_planted_fault_of_the_firmware_is_a_loss():
    """A stuck bit: every second signal of the highest scores comes out low."""
    labels, _exact, raw = events()
    broken = np.where((np.arange(len(raw)) % 2 == 0) & (labels > 0), raw & ~64, raw)
    (top, _) = physics.study(TRIGGER, held_out(labels, raw, raw, broken)).signals
    assert top.losses[0].efficiency.value == 0
    assert top.losses[1].efficiency.low > 0.05
    assert top.losses[1].auc.low > 0


def test_without_a_variable_there_is_no_turn_on():
    labels, exact, raw = events()
    found = physics.study(TRIGGER, held_out(labels, exact, raw))
    assert found.variable is None
    assert {result.turn_on for signal in found.signals for result in signal.results} == {None}


def test_counted_background_sets_a_threshold_of_its_own():
    labels, exact, raw = events()
    more = np.rint(32 * np.random.default_rng(9).normal(size=100_000)).astype(np.int64)
    lots = [LotCounts.of(ScoreCounts.of(part)) for part in np.split(more, 4)]
    counted = lots[0] + lots[1] + lots[2] + lots[3]
    found = physics.study(TRIGGER, held_out(labels, exact, raw, raw), {Discriminant(0): counted})
    for index, signal in enumerate(found.signals, start=1):
        streamed = signal.streamed
        assert (streamed.n_events, streamed.n_chunks) == (100_000, 4)
        assert (more >= streamed.threshold).mean() <= 0.02 < (more >= streamed.threshold - 1).mean()
        assert streamed.efficiency.value == (raw[labels == index] >= streamed.threshold).mean()
        width = streamed.rate_khz.high - streamed.rate_khz.low
        few = signal.results[2].rate_khz
        assert width < 0.3 * (few.high - few.low)


def test_counts_of_another_score_are_not_used():
    labels, exact, raw = events()
    counted = LotCounts.of(ScoreCounts.of(raw))
    found = physics.study(TRIGGER, held_out(labels, exact, raw), {Discriminant(1): counted})
    assert [signal.streamed for signal in found.signals] == [None, None]


def test_several_classes_make_one_background():
    labels, exact, _raw = events()
    logits = np.stack([-exact, 0 * exact, exact], axis=1)
    both = HeldOut(
        class_names=NAMES,
        labels=labels,
        outputs=(Outputs(implementation="float network", values=logits),),
    )
    wanted = Trigger(
        background_classes=("zero_bias", "top_pair"), background_rate_khz=1000, rate_khz=20
    )
    found = physics.study(wanted, both)
    assert (found.background, found.n_background) == ("zero_bias, top_pair", 2300)
    (signal,) = found.signals
    score = exact - np.maximum(-exact, 0)
    assert signal.results[0].rate_khz.value == pytest.approx(
        (score[labels < 2] >= signal.results[0].threshold).mean() * 1000
    )
    assert signal.losses == ()


def test_a_class_without_events_is_named():
    labels, exact, raw = events(n_signal=0)
    with pytest.raises(InputError, match="no held-out event of class top_pair"):
        physics.study(TRIGGER, held_out(labels, exact, raw))


def test_outputs_of_other_events_are_refused():
    labels, exact, raw = events()
    with pytest.raises(InputError, match="quantised network: outputs are \\(5, 1\\), one row"):
        held_out(labels, exact, raw[:5])
    with pytest.raises(InputError, match="7 values of the variable for 2600 events"):
        held_out(labels, exact, variable=np.zeros(7))


def check(found, **limits):
    acceptance = Acceptance(io_types=("io_parallel",), signal_efficiency=0.5, **limits)
    return list(physics.checks(acceptance, None, found, None))


def test_the_largest_loss_at_the_working_rate_is_checked():
    labels, _exact, raw = events()
    broken = np.where((np.arange(len(raw)) % 2 == 0) & (labels == 1), raw & ~64, raw)
    found = physics.study(TRIGGER, held_out(labels, raw, broken))
    worst = found.signals[0].losses[0].efficiency
    assert check(found) == []
    (line,) = check(found, efficiency_loss=0.01)
    assert (line.name, line.allowed, line.met) == ("loss of efficiency at 20 kHz", "0.01", False)
    assert line.used.startswith(f"{worst.value:+.4f} (")
    assert line.used.endswith("; top_pair, quantised network)")
    assert check(found, efficiency_loss=0.99)[0].met


def test_a_loss_that_was_not_measured_is_not_met():
    (line,) = check(None, efficiency_loss=0.01)
    assert (line.name, line.met) == ("loss of efficiency", False)
    assert line.used == "not measured: there is nothing labelled to measure it on"
