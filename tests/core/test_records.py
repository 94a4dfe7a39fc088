from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.records import Agreement, Port, RawTensor, Sample, Stimulus

FORMAT = FixedPointFormat(True, 4, 2)


def raw_tensor(*values):
    return RawTensor(format=FORMAT, raw=np.array([values], dtype=np.int64))


def test_a_raw_tensor_holds_only_what_its_format_can():
    assert raw_tensor(-8, 7).raw.tolist() == [[-8, 7]]
    with pytest.raises(InputError, match="raw integers outside ap_fixed<4,2>: -9 to 7"):
        raw_tensor(-9, 7)


def test_a_record_and_its_arrays_cannot_be_changed():
    tensor = raw_tensor(1, 2)
    with pytest.raises(ValueError, match="read-only"):
        tensor.raw[0, 0] = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        tensor.format = FixedPointFormat(True, 5, 2)


def test_a_port_counts_its_elements():
    assert Port(name="image", shape=(16, 16, 1), format=FORMAT).n_elements == 256


def test_a_stimulus_names_where_an_event_came_from():
    stimulus = Stimulus(inputs=raw_tensor(1), blocks=(("corners", 2), ("held_out", 3)))
    assert [stimulus.block_of(event) for event in (0, 1, 2, 4)] == [
        "corners[0]",
        "corners[1]",
        "held_out[0]",
        "held_out[2]",
    ]
    with pytest.raises(InputError, match="event 5 is not one of the 5 events"):
        stimulus.block_of(5)


def test_an_agreement_of_nothing_is_not_met():
    def agreement(n_values, n_different):
        return Agreement(
            reference="a", candidate="b", n_events=1, n_values=n_values, n_different=n_different
        )

    assert agreement(5, 0).met
    assert not agreement(5, 1).met
    assert not agreement(0, 0).met


def sample(**changes) -> Sample:
    content = {
        "kind": "jets_hlf",
        "digest": "d",
        "feature_names": ("mass",),
        "class_names": ("qcd", "top"),
        "x_train": np.zeros((3, 1), np.float32),
        "y_train": np.zeros(3, np.int64),
        "x_test": np.zeros((2, 1), np.float32),
        "y_test": np.zeros(2, np.int64),
        "provenance": '{"seed": 5}',
    }
    return Sample(**(content | changes))


def test_a_sample_has_a_label_for_each_example():
    with pytest.raises(InputError, match="sample jets_hlf: 3 train examples but 4 labels"):
        sample(y_train=np.zeros(4, np.int64))
    with pytest.raises(InputError, match="sample jets_hlf: 1 test examples but 2 labels"):
        sample(x_test=np.zeros((1, 1), np.float32))


def test_a_sample_s_variables_have_a_name_and_a_row_for_each_event():
    names = ("generated_ht_gev", "n_interactions")
    known = sample(variable_names=names, variables_test=np.ones((2, 2), np.float32))
    assert known.variables_test.shape == (2, 2)
    for wrong in (
        {"variable_names": names},
        {"variables_test": np.ones((2, 2), np.float32)},
        {"variable_names": names, "variables_test": np.ones((3, 2), np.float32)},
        {"variable_names": names, "variables_test": np.ones((2, 1), np.float32)},
    ):
        with pytest.raises(InputError, match=r"sample jets_hlf: variables_test is .* ask for"):
            sample(**wrong)


def test_a_sample_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        sample().x_test[0] = 1


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"jets"'])
def test_the_provenance_of_a_sample_is_a_json_object(text):
    assert sample().read_provenance() == {"seed": 5}
    with pytest.raises(InputError, match="sample jets_hlf: its provenance is no JSON object"):
        sample(provenance=text)
