import dataclasses
from xml.etree import ElementTree as ET

import pytest
import verdicts
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.errors import StoreError
from trigforge.core.records import Check
from trigforge.core.verdict import SpecVerdict
from trigforge.report import junit

COUNTS = {"tests": "testcase", "failures": "failure", "errors": "error"}


def parsed(*judged):
    return ET.fromstring(junit.make(judged))


def case(suite, name):
    (found,) = (entry for entry in suite.iter("testcase") if entry.get("name") == name)
    return found


def test_the_counts_are_those_of_the_cases():
    root = parsed(*verdicts.ALL)
    assert root.tag == "testsuites"
    assert {key: root.get(key) for key in COUNTS} == {"tests": "10", "failures": "2", "errors": "2"}
    for level in (root, *root):
        for count, tag in COUNTS.items():
            assert int(level.get(count)) == len(list(level.iter(tag))), (level.attrib, count)
    assert [int(suite.get("skipped")) for suite in root] == [0, 1, 0, 0]


def test_each_spec_is_a_suite_of_cases_with_names_of_their_own():
    root = parsed(*verdicts.ALL)
    assert [suite.get("name") for suite in root] == ["jets", "images", "muons", "bad.yaml"]
    cases = [(entry.get("classname"), entry.get("name")) for entry in root.iter("testcase")]
    assert len(set(cases)) == len(cases)
    assert cases[:4] == [
        ("trigforge.jets", name)
        for name in ("run", "bit-exact: RTL", "budget: LUT", "baseline: LUT")
    ]
    assert {entry.get("file") for entry in root[0].iter("testcase")} == {"models/jets.yaml"}


def test_the_time_is_that_of_the_run_and_adds_up():
    root = parsed(*verdicts.ALL)
    assert root.get("time") == "59.100"
    assert [suite.get("time") for suite in root] == ["46.600", "10.000", "2.500", "0.000"]
    assert sum(float(entry.get("time")) for entry in root.iter("testcase")) == 59.1


def test_a_failure_says_what_was_used_and_what_is_allowed():
    failure = case(parsed(verdicts.FAILED)[0], "budget: latency").find("failure")
    assert failure.get("message") == "50 cycles; allowed: 48 cycles"
    assert failure.text == "50 cycles; allowed: 48 cycles"


def test_what_is_unknown_is_skipped():
    skipped = case(parsed(verdicts.FAILED)[0], "unknown: BRAM18").find("skipped")
    assert skipped.get("message") == "neither synthesised nor estimated"


def test_a_spec_that_was_not_judged_is_an_error_with_the_last_words():
    died, unreadable = parsed(verdicts.DIED, verdicts.UNREADABLE)
    error = case(died, "run").find("error")
    assert error.get("message") == "its process was killed by SIGSEGV"
    assert "Fatal Python error: Segmentation fault\n\ufffd[31mred\ufffd <&> \ufffd" in error.text
    error = case(unreadable, "run").find("error")
    assert error.get("message") == "bad.yaml: 2 problem(s)"
    assert "  budget: missing" in error.text


def test_notes_are_output_of_the_suite():
    assert parsed(verdicts.FAILED)[0].findtext("system-out") == verdicts.FAILED.notes[0]
    assert parsed(verdicts.MET)[0].find("system-out") is None


@given(st.text(), st.text(min_size=1))
def test_no_text_makes_invalid_xml(name, message):
    check = Check(name=name, used=message, allowed=message, met=False)
    judged = SpecVerdict(
        name=name, spec=verdicts.MET.spec, checks=(check,), unknown=(message,), notes=(message,)
    )
    root = parsed(judged, dataclasses.replace(judged, checks=(), error=message, output=name))
    assert root.get("failures") == "1"
    assert root.get("errors") == "1"


def test_nothing_judged_is_an_empty_list():
    assert parsed().attrib == {
        "name": "trigforge check",
        "tests": "0",
        "failures": "0",
        "errors": "0",
        "time": "0.000",
    }


def test_the_file_is_written_as_a_whole(tmp_path):
    path = tmp_path / "reports" / "junit.xml"
    junit.write(verdicts.ALL, path)
    assert path.read_bytes() == junit.make(verdicts.ALL)
    assert path.read_bytes().startswith(b"<?xml version='1.0' encoding='utf-8'?>\n")
    with pytest.raises(StoreError, match="junit.xml"):
        junit.write(verdicts.ALL, path / "below a file")
