"""The networks in Python: the exact QKeras reference and Keras' own float inference."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import shipped_models
from stopwatch import seconds

from trigforge.networks import reference

if TYPE_CHECKING:
    from pathlib import Path

N_EVENTS = 32768


def measure(folder: Path) -> dict[str, float]:
    figures = {}
    for model in shipped_models.open_all(folder):
        networks, inputs = model.ready.source.networks, model.inputs(N_EVENTS)
        output = model.projects[0].output
        exact = partial(reference.evaluate, networks.quantised_model, inputs, output)
        shape = (N_EVENTS, *networks.float_model.input_shape[1:])
        x = inputs.raw.reshape(shape).astype(np.float32)
        predict = partial(networks.float_model.predict, x, batch_size=1024, verbose=0)
        quantised = partial(networks.quantised_model.predict, x, batch_size=1024, verbose=0)
        for what, call in (
            ("qkeras_exact", exact),
            ("qkeras_predict", quantised),
            ("keras_predict", predict),
        ):
            figures[f"{what}_events_per_s_{model.name}"] = N_EVENTS / seconds(call, repeats=3)
    return figures
