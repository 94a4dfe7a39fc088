"""Train the float baseline and the quantised network: ``Spec, Sample -> TrainedNetworks``.

``baseline`` trains the float one, which many quantised networks may share; ``quantised``
trains those. ``files`` keeps both. ``fitting`` is how any network is fitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.core.records import Progress, no_progress
from trigforge.training.baseline import Baseline, baseline_key, train_baseline
from trigforge.training.files import (
    RECORD,
    WEIGHTS,
    find,
    find_baseline,
    find_shipped_baseline,
    save,
    save_baseline,
)
from trigforge.training.networks import (
    TrainedNetworks,
    content_digest,
    encode_for,
    input_shape,
    n_outputs,
    quantised_weights_digest,
    training_key,
)
from trigforge.training.quantised import train_quantised

if TYPE_CHECKING:
    from trigforge.core.config import Spec
    from trigforge.core.records import Sample

__all__ = [
    "RECORD",
    "WEIGHTS",
    "Baseline",
    "TrainedNetworks",
    "baseline_key",
    "content_digest",
    "encode_for",
    "find",
    "find_baseline",
    "find_shipped_baseline",
    "input_shape",
    "n_outputs",
    "quantised_weights_digest",
    "save",
    "save_baseline",
    "train",
    "train_baseline",
    "train_quantised",
    "training_key",
]


def train(spec: Spec, sample: Sample, *, progress: Progress = no_progress) -> TrainedNetworks:
    """Train both networks of a spec on the training events of a sample.

    Anomaly detectors see the first class alone, the background.

    Raises:
        InputError: if the sample is too small to hold events back for validation, or a
            training diverges.
    """
    baseline = train_baseline(spec, sample, progress=progress)
    return train_quantised(spec, sample, baseline, progress=progress)
