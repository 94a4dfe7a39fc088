"""The quantised network: trained from random weights, or from those of the float one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import qkeras

from trigforge import __version__
from trigforge.core.fixed_point import to_values
from trigforge.core.records import Progress, no_progress
from trigforge.networks import zoo
from trigforge.training.baseline import baseline_key, events_seen
from trigforge.training.fitting import fit
from trigforge.training.networks import (
    TrainedNetworks,
    encode_for,
    input_shape,
    n_outputs,
    training_key,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.config import Spec
    from trigforge.core.link import LinkEncoding
    from trigforge.core.records import Sample
    from trigforge.training.baseline import Baseline


def train_quantised(
    spec: Spec, sample: Sample, baseline: Baseline, *, progress: Progress = no_progress
) -> TrainedNetworks:
    """Train the quantised network of a spec beside its float baseline.

    Raises:
        InputError: if the training diverges.
    """
    seen = events_seen(spec, sample, baseline.scores)
    encoding = encode_for(spec, sample)
    keras.utils.set_random_seed(spec.training.seed)
    shape, outputs = input_shape(sample), n_outputs(spec, sample)
    model = zoo.build_quantised(spec.network, spec.quantization, shape, outputs)
    x = to_values(encoding.encode(seen.x), encoding.format).astype(np.float32)
    if spec.quantization.input_format is not None:
        model.get_layer("standardise").fit(x)
    if spec.training.initial_weights == "float":
        _start_from(baseline.float_model, model, encoding)
    epochs = spec.training.quantised_epochs or spec.training.epochs
    schedule = spec.training.model_copy(update={"epochs": epochs})
    history = fit(model, x, seen, schedule, progress)
    return TrainedNetworks(
        float_model=baseline.float_model,
        quantised_model=model,
        encoding=encoding,
        key=training_key(spec),
        baseline_key=baseline_key(spec),
        provenance=_provenance(
            spec, sample, len(seen.x), {**baseline.histories, "quantised": history}
        ),
    )


def _start_from(float_model: Any, model: Any, encoding: LinkEncoding) -> None:
    """Give each layer the float weights; the first also undoes the other standardisation.

    The float network's standardised input is ``scale * x + shift`` of the quantised one's, an
    affine map a channel: weights take the scale, the bias the shift. (Where a convolution
    pads with zeros, the shift is only nearly right there: it is a start, not a result.)
    """
    scale, shift = _between_standardisations(float_model, model, encoding)
    first = True
    for layer in float_model.layers:
        if not isinstance(layer, keras.layers.Dense | keras.layers.Conv2D):
            continue
        kernel, bias = layer.get_weights()
        if first:
            channels = kernel.reshape(-1, len(scale), kernel.shape[-1])
            bias = bias + np.einsum("c,kcf->f", shift, channels)
            kernel = (channels * scale[:, np.newaxis]).reshape(kernel.shape)
            first = False
        model.get_layer(layer.name).set_weights([kernel, bias])


def _between_standardisations(
    float_model: Any, model: Any, encoding: LinkEncoding
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scale and shift, ``(n_channels,)``, from quantised to float standardised inputs."""
    normalise = float_model.get_layer("standardise")
    mean, variance = (
        np.asarray(v, np.float64).ravel() for v in (normalise.mean, normalise.variance)
    )
    spread = np.maximum(np.sqrt(variance), keras.backend.epsilon())
    fractional_bits = encoding.format.fractional_bits
    step = np.ldexp(1.0, np.asarray(encoding.lsb_exponents) + fractional_bits)
    offset, factor = np.zeros(len(mean)), np.ones(len(mean))
    if any(layer.name == "standardise" for layer in model.layers):
        own = model.get_layer("standardise")
        offset = np.asarray(own.offsets, np.float64)
        factor = np.ldexp(1.0, np.asarray(own.shifts, np.int64))
    return step * factor / spread, (step * offset - mean) / spread


def _provenance(
    spec: Spec, sample: Sample, n_train: int, histories: dict[str, Any]
) -> dict[str, Any]:
    return {
        "name": spec.name,
        "n_train": n_train,
        "sample": sample.read_provenance(),
        "training": histories,
        "seed": spec.training.seed,
        "versions": {
            "trigforge": __version__,
            "keras": keras.__version__,
            "qkeras": qkeras.__version__,
            "numpy": np.__version__,
        },
    }
