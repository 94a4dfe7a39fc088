"""What training gives, and what decides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.config import AnomalyNetwork
from trigforge.core.files import digest_of
from trigforge.core.link import LinkEncoding, fit_encoding
from trigforge.core.store import key_of

if TYPE_CHECKING:
    from trigforge.core.config import Spec
    from trigforge.core.records import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedNetworks:
    """The two networks of a spec, how the link encodes their inputs, and their history.

    ``float_model`` takes physical values, ``quantised_model`` the values that the link
    carries; both end in logits or a score.
    """

    float_model: Any
    quantised_model: Any
    encoding: LinkEncoding
    key: str
    baseline_key: str
    """Of the float network; empty if it is not known what decided its weights."""
    provenance: dict[str, Any]


def training_key(spec: Spec) -> str:
    """Return the digest of all that decides the weights: sample, network and training."""
    sections = ("sample", "network", "quantization", "training")
    return key_of({name: getattr(spec, name).model_dump(mode="json") for name in sections})


def content_digest(sample: Sample) -> str:
    """Return the digest of the events a network is trained on."""
    return digest_of(sample.x_train.tobytes(), sample.y_train.tobytes())


def input_shape(sample: Sample) -> tuple[int, ...]:
    """Return the shape of one event."""
    return tuple(int(n) for n in sample.x_train.shape[1:])


def n_outputs(spec: Spec, sample: Sample) -> int:
    """Return the number of outputs: one decides between two classes, or is a score."""
    scores = isinstance(spec.network, AnomalyNetwork)
    return 1 if scores or len(sample.class_names) == 2 else len(sample.class_names)


def encode_for(spec: Spec, sample: Sample) -> LinkEncoding:
    """Return how the link carries the sample's values.

    Images are integers already; features get the finest step that the link's bits allow.
    """
    link = spec.quantization.parsed("link_format")
    if np.issubdtype(sample.x_train.dtype, np.integer):
        return LinkEncoding(format=link, lsb_exponents=(0,))
    return fit_encoding(sample.x_train, link)


def quantised_weights_digest(trained: TrainedNetworks) -> str:
    """Return the digest of the quantised network's weights."""
    return digest_of(*(w.tobytes() for w in trained.quantised_model.get_weights()))
