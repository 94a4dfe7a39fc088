"""``samples`` for crossings; for jets see ``test_app``."""

from __future__ import annotations

from unittest import mock

import pytest
import tiny_models
import yaml

from trigforge.core.spec_file import read_spec
from trigforge.samples import archive, generation


@pytest.fixture
def objects_file(tmp_path):
    path = tmp_path / "tiny_objects.yaml"
    path.write_text(yaml.safe_dump(tiny_models.spec_data("trigger_objects")))
    return path


@pytest.fixture
def mocked_generation(objects_file):
    sample = tiny_models.make_sample(read_spec(objects_file))
    with (
        mock.patch.object(generation, "generate", autospec=True, return_value=sample) as generate,
        mock.patch.object(archive, "save", autospec=True) as save,
    ):
        yield generate, save


def test_samples_of_crossings_can_have_other_sizes(
    trigforge_says, mocked_generation, objects_file, tmp_path
):
    generate, save = mocked_generation
    options = ("--zero-bias-events", "200", "--signal-events", "15", "--quiet")
    code, out, err = trigforge_says("samples", objects_file, "--out", tmp_path / "x.npz", *options)
    assert (code, err) == (0, "")
    assert " test examples of zero_bias, top_pair, higgs_tau_tau" in out
    (wanted, _), _ = generate.call_args
    expected = {"zero_bias_events": 200, "signal_events": 15}
    assert wanted == read_spec(objects_file).sample.model_copy(update=expected)
    save.assert_called_once()


def test_crossings_have_no_number_of_jets(trigforge_says, mocked_generation, objects_file):
    options = ("--out", "x.npz", "--jets-per-class", "200", "--signal-events", "20")
    code, out, err = trigforge_says("samples", objects_file, *options)
    assert (code, out) == (2, "")
    assert "--jets-per-class: a sample of trigger_objects has no such size" in err
    assert "--zero-bias-events and --signal-events" in " ".join(err.split())
    mocked_generation[0].assert_not_called()


def test_jets_have_no_zero_bias(trigforge_says, mocked_generation, spec_file):
    options = ("--out", "x.npz", "--zero-bias-events", "200")
    code, _, err = trigforge_says("samples", spec_file, *options)
    assert code == 2
    assert "--zero-bias-events: a sample of jets_hlf has no such size" in err
    mocked_generation[0].assert_not_called()


@pytest.mark.parametrize("options", [("--zero-bias-events", "99"), ("--signal-events", "9")])
def test_sizes_below_the_spec_s_limits_are_refused(
    trigforge_says, mocked_generation, objects_file, options
):
    code, _, err = trigforge_says("samples", objects_file, "--out", "x.npz", *options)
    assert code == 2
    assert options[0] in err
    mocked_generation[0].assert_not_called()
