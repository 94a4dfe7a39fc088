"""The float network, which does not know how its quantised form will be quantised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from trigforge.core.config import AnomalyNetwork, Conv2dStudent
from trigforge.core.records import Progress, no_progress
from trigforge.core.store import key_of
from trigforge.networks import teacher, zoo
from trigforge.training.fitting import TrainingEvents, check_size, fit
from trigforge.training.networks import input_shape, n_outputs

if TYPE_CHECKING:
    from trigforge.core.config import Spec
    from trigforge.core.records import Sample

_OF_THE_QUANTISED = {"sparsity", "initial_weights", "quantised_epochs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The float network, and what its teacher taught, if it had one.

    ``scores`` are the teacher's of the events trained on, ``(n_events, 1)``; ``histories`` say
    what each training was like.
    """

    float_model: Any
    scores: NDArray[np.float32] | None
    histories: dict[str, Any]


def baseline_key(spec: Spec) -> str:
    """Return the digest of all that decides the float weights; many specs may share it."""
    schedule = spec.training.model_dump(mode="json", exclude=_OF_THE_QUANTISED)
    return key_of(
        [
            spec.sample.model_dump(mode="json"),
            spec.network.model_dump(mode="json", exclude={"score_format"}),
            schedule,
        ]
    )


def train_baseline(spec: Spec, sample: Sample, *, progress: Progress = no_progress) -> Baseline:
    """Train the float network of a spec, after its teacher if it has one.

    Raises:
        InputError: if the sample is too small to hold events back for validation, or the
            training diverges.
    """
    seen = events_seen(spec, sample)
    check_size(len(seen.x), spec.training)
    histories: dict[str, Any] = {}
    keras.utils.set_random_seed(spec.training.seed)
    model = zoo.build_float(spec.network, input_shape(sample), n_outputs(spec, sample))
    x = seen.x.astype(np.float32)
    standardise = model.get_layer("standardise")
    standardise.adapt(x)
    scores = None
    if isinstance(spec.network, Conv2dStudent):
        scores, histories["teacher"] = _taught(spec, spec.network, x, standardise, progress)
        seen = events_seen(spec, sample, scores)
    histories["float"] = fit(model, x, seen, spec.training, progress)
    return Baseline(float_model=model, scores=scores, histories=histories)


def events_seen(
    spec: Spec, sample: Sample, scores: NDArray[np.float32] | None = None
) -> TrainingEvents:
    """Return what a network is trained on; ``scores`` are what a student's teacher gives."""
    if isinstance(spec.network, AnomalyNetwork):
        background = sample.x_train[sample.y_train == 0]
        if scores is not None:
            loss = keras.losses.MeanAbsoluteError()
            return TrainingEvents(x=background, target=scores, loss=loss)
        nothing = np.zeros((len(background), 1), dtype=np.float32)
        return TrainingEvents(x=background, target=nothing, loss=_score_itself)
    loss = (
        keras.losses.BinaryCrossentropy(from_logits=True)
        if n_outputs(spec, sample) == 1
        else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    return TrainingEvents(x=sample.x_train, target=sample.y_train, loss=loss)


@keras.saving.register_keras_serializable(package="trigforge")  # type: ignore[untyped-decorator]
def _score_itself(target: Any, score: Any) -> Any:
    """Take the score as the loss: an autoencoder's is the error it is to make small."""
    del target
    return keras.ops.mean(score, axis=-1)


def _taught(
    spec: Spec,
    network: Conv2dStudent,
    x: NDArray[np.float32],
    standardise: Any,
    progress: Progress,
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Train the teacher; return its scores of the events, ``(n_events, 1)``."""
    standard = np.asarray(standardise(x), dtype=np.float32)
    model = teacher.build(network.teacher, tuple(standard.shape[1:]))
    given_back = TrainingEvents(x=standard, target=standard, loss="mean_squared_error")
    schedule = spec.training.model_copy(update={"epochs": network.teacher.epochs, "sparsity": 0.0})
    history = fit(model, standard, given_back, schedule, progress)
    return teacher.scores(model, standard, network.score_per_e_fold), history
