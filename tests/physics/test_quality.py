import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from trigforge import physics
from trigforge.core.config import Acceptance
from trigforge.core.errors import InputError
from trigforge.core.records import ClassMetrics, Metrics

TWO = ("qcd", "top")
THREE = ("gluon", "w", "top")


def measured(auc: float, accuracy: float | None) -> Metrics:
    entry = ClassMetrics(name="top", auc=auc, signal_efficiency=0.5, background_rejection=10.0)
    return Metrics(n_events=100, accuracy=accuracy, classes=(entry,))


def verdict(baseline, quantised, **limits):
    acceptance = Acceptance(io_types=("io_parallel",), signal_efficiency=0.5, **limits)
    entries = physics.checks(acceptance, (baseline, quantised), None, None)
    return [(entry.name, entry.used, entry.allowed, entry.met) for entry in entries]


def test_a_case_worked_out_by_hand():
    """Signal 3, 1, -1 and background 2, 0, -2, -3: 9 of 12 pairs are in order."""
    logits = np.array([[3], [1], [-1], [2], [0], [-2], [-3]], dtype=np.float32)
    labels = np.array([1, 1, 1, 0, 0, 0, 0])
    metrics = physics.measure(logits, labels, TWO, 0.5)
    (top,) = metrics.classes
    assert (top.name, metrics.n_events) == ("top", 7)
    assert top.auc == pytest.approx(9 / 12, abs=1e-12)
    assert metrics.accuracy == 5 / 7  # a logit of 0 is background
    assert top.background_rejection == 4.0  # 2 of 3 signals pass 1, and 1 of 4 backgrounds
    assert metrics.mean_auc == top.auc


def test_events_of_equal_score_pass_together():
    logits = np.zeros((4, 1))
    (top,) = physics.measure(logits, np.array([0, 0, 1, 1]), TWO, 0.3).classes
    assert (top.auc, top.background_rejection) == (0.5, 1.0)


@pytest.mark.parametrize("efficiency", [0.1, 0.3, 0.5, 0.7])
def test_the_rejection_is_taken_where_enough_signal_just_passes(efficiency):
    """One signal and ten backgrounds at each step of the score."""
    signal = np.arange(10, 0, -1, dtype=float)
    logits = np.concatenate([signal, np.repeat(signal, 10) - 0.5])[:, None]
    labels = np.repeat([1, 0], [10, 100])
    (top,) = physics.measure(logits, labels, TWO, efficiency).classes
    n_signal = round(efficiency * 10)
    passed = 10 * (n_signal - 1)
    assert top.background_rejection == pytest.approx(100 / passed if passed else np.inf)


def test_classes_are_told_apart_by_softmax_against_the_rest():
    random = np.random.default_rng(5)
    labels = random.integers(0, 3, size=600)
    logits = random.normal(size=(600, 3)) + 1.5 * np.eye(3)[labels]
    metrics = physics.measure(logits, labels, THREE, 0.5)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert [entry.name for entry in metrics.classes] == list(THREE)
    for index, entry in enumerate(metrics.classes):
        assert entry.auc == pytest.approx(
            roc_auc_score(labels == index, probabilities[:, index]), abs=1e-12
        )
    mean = roc_auc_score(labels, probabilities, multi_class="ovr")
    assert metrics.mean_auc == pytest.approx(mean, abs=1e-12)
    assert metrics.accuracy == (logits.argmax(axis=1) == labels).mean()


def test_a_binary_classifier_with_two_logits_measures_both_classes():
    logits = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0], [0.0, 3.0]])
    metrics = physics.measure(logits, np.array([0, 1, 0, 1]), TWO, 0.5)
    assert [entry.auc for entry in metrics.classes] == [1.0, 1.0]


def test_logits_too_large_for_an_exponential_do_no_harm():
    logits = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 0], [0, 0, 1e4]])
    assert physics.measure(logits, np.array([0, 1, 2]), THREE, 0.5).mean_auc == 1.0


def test_perfect_separation_rejects_everything():
    logits = np.array([[-1.0], [-2.0], [1.0], [2.0]])
    (top,) = physics.measure(logits, np.array([0, 0, 1, 1]), TWO, 0.5).classes
    assert (top.auc, top.background_rejection) == (1.0, float("inf"))


def test_a_class_without_events_is_named():
    with pytest.raises(InputError, match="no held-out event of class w, top: a larger sample"):
        physics.measure(np.zeros((2, 3)), np.array([0, 0]), THREE, 0.5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_not_finite_is_refused(value):
    with pytest.raises(InputError, match="a logit is not finite: the network diverged"):
        physics.measure(np.array([[0.0], [value]]), np.array([0, 1]), TWO, 0.5)


@pytest.mark.parametrize("shape", [(3, 1), (2, 4), (2, 3, 1)])
def test_logits_that_do_not_fit_labels_and_classes_are_refused(shape):
    with pytest.raises(InputError, match="logits are .*, not \\(2, 3\\): one row an event"):
        physics.measure(np.zeros(shape), np.array([0, 1]), THREE, 0.5)


def test_only_losses_with_a_limit_are_checked():
    baseline, quantised = measured(0.95, 0.80), measured(0.94, 0.81)
    assert list(verdict(baseline, quantised)) == []
    assert verdict(baseline, quantised, auc_loss=0.02) == [
        ("loss of mean AUC", "+0.0100", "0.02", True)
    ]
    assert verdict(baseline, quantised, auc_loss=0.005, accuracy_loss=0.01) == [
        ("loss of accuracy", "-0.0100", "0.01", True),
        ("loss of mean AUC", "+0.0100", "0.005", False),
    ]


CROSSINGS = ("zero_bias", "top_pair", "leptoquark_pair")


def test_a_score_tells_each_signal_from_the_background_alone():
    """The second signal lies above the first, which is no background of it."""
    score = np.array([0, 1, 2, 3, 2, 4, 5, 6])[:, None]
    labels = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    metrics = physics.measure(score, labels, CROSSINGS, 0.5)
    assert [entry.name for entry in metrics.classes] == ["top_pair", "leptoquark_pair"]
    assert [entry.auc for entry in metrics.classes] == [6.5 / 8, 1.0]
    assert [entry.background_rejection for entry in metrics.classes] == [np.inf, np.inf]
    assert metrics.mean_auc == (6.5 / 8 + 1) / 2


@pytest.mark.parametrize("names", [CROSSINGS, CROSSINGS[:2]])
def test_a_score_has_no_accuracy(names):
    labels = np.arange(len(names))
    assert physics.measure(labels[:, None], labels, names, 0.5).accuracy is None


def test_a_limit_on_an_accuracy_that_does_not_exist_is_not_met():
    score = measured(0.95, None)
    assert verdict(score, score, accuracy_loss=0.01) == [
        ("loss of accuracy", "not known: an anomaly score has no accuracy", "0.01", False)
    ]
