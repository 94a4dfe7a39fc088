import shutil
from pathlib import Path

import mutations

from trigforge.pipeline.imported import read_formats

CONFIG = Path(__file__).parents[1] / "public_models" / "qkeras_3layer_config.yml"


def test_corrupt_configurations_are_read_or_refused_in_one_line(tmp_path):
    original = tmp_path / "config.yml"
    shutil.copyfile(CONFIG, original)
    outcomes = mutations.attack(read_formats, original, 400)
    assert outcomes.total() == 400
    assert outcomes["read"] < 300
