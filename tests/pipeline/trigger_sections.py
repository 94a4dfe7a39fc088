"""Tiny specs that say which rate is allowed."""

from __future__ import annotations

from typing import Any

import yaml
from tiny_models import TinyModel

SECTIONS: dict[str, dict[str, Any]] = {
    "jets_hlf": {
        "background_classes": ["gluon", "light_quark"],
        "signals": ["top", "w"],
        "background_rate_khz": 100,
        "rate_khz": 10,
        "turn_on": {"variable": "feature_3", "n_bins": 4},
    },
    "top_images": {
        "background_classes": ["qcd"],
        "background_rate_khz": 100,
        "rate_khz": 10,
        "turn_on": {"variable": "image_sum"},
    },
    "trigger_objects": {
        "background_classes": ["zero_bias"],
        "rate_khz": 3000,
        "turn_on": {"variable": "generated_ht_gev", "n_bins": 3},
    },
}


def allow_rate(model: TinyModel, *, accept: dict[str, Any] | None = None, **changes: Any) -> None:
    """Write a trigger section into the spec, with some of its keys changed."""
    data = yaml.safe_load(model.spec_file.read_text())
    data["trigger"] = SECTIONS[data["sample"]["kind"]] | changes
    data["acceptance"] |= accept or {}
    model.spec_file.write_text(yaml.safe_dump(data))
