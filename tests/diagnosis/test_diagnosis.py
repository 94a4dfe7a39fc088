"""Every planted fault is named, in its layer, with a change that mends it."""

import re

import pytest
from faults import CLEAN, FAULTS, quantised

from trigforge.diagnosis import Cause


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_planted_fault_is_named_and_its_mend_makes_it_go_away(sentence):
    fault = FAULTS[sentence]()
    diagnosis = fault.case.diagnosed()
    assert tuple((finding.cause, finding.layer) for finding in diagnosis.findings) == fault.causes
    assert tuple(str(mend) for mend in diagnosis.configuration) == fault.mends
    assert re.search(fault.evidence, diagnosis.first.evidence)
    assert all(finding.n_explained > 0 == finding.n_remaining for finding in diagnosis.findings)
    mended = fault.case.mended(diagnosis.configuration).diagnosed()
    assert mended.findings == ()


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_network_gives_no_finding(name):
    diagnosis = CLEAN[name]().diagnosed()
    assert diagnosis.met
    assert diagnosis.findings == ()
    assert all(layer.n_own == 0 for layer in diagnosis.layers)
    assert diagnosis.unmatched == diagnosis.unmatched_nodes == ()


def test_a_finding_says_where_and_in_which_integers():
    finding = quantised(act={"result": "ufixed<5,2,RND_CONV>"}).diagnosed().first
    assert finding.cause is Cause.RESULT_OVERFLOW
    assert (finding.event, finding.element, finding.position) == (0, 0, (0,))
    assert (finding.expected, finding.found) == (3.875, 0.625)
    assert (finding.expected_raw, finding.found_raw) == (31, 5)
    assert (finding.n_explained, finding.n_values) == (185, 600)


def test_a_fault_that_shows_only_after_another_is_mended_says_so():
    diagnosis = FAULTS["a fault that another hides"]().case.diagnosed()
    assert [finding.hidden for finding in diagnosis.findings] == [False, True]


def test_a_later_layer_is_not_blamed_for_what_an_earlier_one_gives_it():
    diagnosis = quantised(first={"accum": "fixed<12,4>"}).diagnosed()
    different = {layer.layer: layer.n_different for layer in diagnosis.layers}
    own = {layer.layer: layer.n_own for layer in diagnosis.layers}
    assert different["second"] > 0
    assert own["second"] == own["act"] == 0
