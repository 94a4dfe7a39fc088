"""The import command: what goes in, what is said, and that bad input is one line and code 2."""

import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from trigforge.core import formats
from trigforge.pipeline import importing

PUBLIC = Path(__file__).parents[1] / "public_models"
MODEL = PUBLIC / "two_layer_keras.onnx"


def test_every_option_reaches_the_pipeline(trigforge_says, tmp_path):
    imported = formats.Imported(
        name="net",
        spec=tmp_path / "net.yaml",
        model="a model",
        formats_from="somewhere",
        n_events=3,
        io_types=("io_parallel",),
        calibration=None,
        notes=("beware",),
    )
    with mock.patch.object(importing, "take_in", autospec=True, return_value=imported) as take_in:
        code, out, _ = trigforge_says(
            *("import", MODEL, "--out", tmp_path, "--name", "net", "--part", "xcku115"),
            *("--clock-mhz", 240, "--tolerance", 0.1, "--margin", 2, "--logits", "--events", 7),
            *("--columns", "a,b", "--label", "y", "--tree", "t", "--seed", 4, "--quiet"),
        )
    assert code == 0
    assert "note: beware" in out
    assert f"trigforge run {tmp_path / 'net.yaml'}" in out
    (request,) = take_in.call_args.args
    assert (request.model, request.out, request.name) == (MODEL, tmp_path, "net")
    assert (request.part, request.clock_mhz, request.margin) == ("xcku115", 240.0, 2.0)
    assert (request.tolerance, request.n_events, request.seed) == (0.1, 7, 4)
    assert request.selection.columns == ("a", "b")
    assert (request.selection.label, request.selection.tree) == ("y", "t")
    assert request.end_in_logits


def write_model(kind, damage, folder):
    """Return a model file of a kind, damaged."""
    source = {
        ".onnx": MODEL,
        ".keras": PUBLIC / "qkeras-v3_3layer.keras",
        ".h5": PUBLIC / "KERAS_3layer_weights.h5",
    }[kind]
    content = source.read_bytes()
    path = folder / f"model{kind}"
    path.write_bytes(
        {
            "empty": b"",
            "truncated": content[: len(content) // 2],
            "corrupt": b"\xff" * 64 + content[64:],
        }[damage]
    )
    return path


@pytest.mark.parametrize("damage", ["empty", "truncated", "corrupt"])
@pytest.mark.parametrize("kind", [".onnx", ".keras", ".h5"])
def test_a_damaged_model_is_one_line_and_code_2(trigforge_says, tmp_path, kind, damage):
    path = write_model(kind, damage, tmp_path)
    code, out, err = trigforge_says("import", path, "--out", tmp_path / "out", "--quiet")
    assert (code, out) == (2, "")
    assert err.startswith("trigforge: ")
    assert str(path) in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.full((5, 10), np.nan), "nan"),
        (np.zeros((5, 11)), "11"),
        (np.zeros((0, 10)), "no event"),
        (np.array([["a"] * 10]), "U1"),
    ],
)
def test_events_that_are_none_are_one_line_and_code_2(trigforge_says, tmp_path, content, message):
    path = tmp_path / "events.npy"
    np.save(path, content)
    code, out, err = trigforge_says(
        "import", MODEL, "--inputs", path, "--out", tmp_path / "out", "--quiet"
    )
    assert (code, out) == (2, "")
    assert str(path) in err
    assert message in err.lower() or message in err
    assert len(err.splitlines()) == 1


def test_a_file_that_announces_more_than_it_holds_is_refused(trigforge_says, tmp_path):
    path = tmp_path / "events.npy"
    with path.open("wb") as stream:
        header = {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 10)}
        np.lib.format.write_array_header_2_0(stream, header)
    code, _, err = trigforge_says(
        "import", MODEL, "--inputs", path, "--out", tmp_path / "out", "--quiet"
    )
    assert code == 2
    assert len(err.splitlines()) == 1


def test_an_imported_spec_has_no_sample_and_no_training(trigforge_says, tmp_path):
    shutil.copyfile(PUBLIC / "bnn_model_fc_1layer.onnx", tmp_path / "net.onnx")
    assert trigforge_says("import", tmp_path / "net.onnx", "--out", tmp_path, "--quiet")[0] == 0
    for command in (("train",), ("samples", "--out", tmp_path / "x.npz")):
        code, _, err = trigforge_says(command[0], tmp_path / "net.yaml", *command[1:])
        assert code == 2
        assert "net was imported: it has no sample and no training of its own" in err
