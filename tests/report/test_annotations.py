import dataclasses
import re
from pathlib import Path

import verdicts
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.verdict import SpecVerdict
from trigforge.report.annotations import annotate


def unescape(text: str) -> str:
    """Undo what GitHub's runner undoes."""
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_a_spec_that_met_everything_has_no_annotation():
    assert list(annotate([verdicts.MET])) == []


def test_a_failed_spec_has_one_error_with_all_that_failed():
    error, warning, notice = annotate([verdicts.FAILED])
    assert error == (
        "::error file=models/images%2C 100%25.yaml,title=images%3A 2 of 2 checks failed::"
        "bit-exact: RTL: 3 differ; allowed: 0%0Abudget: latency: 50 cycles; allowed: 48 cycles"
    )
    assert warning.startswith(
        "::warning file=models/images%2C 100%25.yaml,title=images%3A unknown::"
    )
    assert notice.endswith("::mean AUC: 0.95 is better than 0.94: update the baseline")


def test_a_spec_that_was_not_judged_is_an_error_of_one_line():
    (line,) = annotate([verdicts.UNREADABLE])
    assert line == (
        "::error file=bad.yaml,title=bad.yaml%3A not judged::"
        "bad.yaml: 2 problem(s)%0A  name: missing%0A  budget: missing"
    )


@given(st.text(st.characters(exclude_characters="\0/"), min_size=1), st.text(min_size=1))
def test_no_text_begins_a_command_of_its_own(name, message):
    judged = SpecVerdict(name=name, spec=Path(name), error=message)
    judged = dataclasses.replace(judged, unknown=(message,))
    for line in annotate([judged]):
        assert not {"\n", "\r"} & set(line)
        _, found, data = re.fullmatch(
            r"::(error|warning) file=([^:,]*),title=[^:,]*::(.*)", line, re.DOTALL
        ).groups()
        assert unescape(found) == str(Path(name))
        assert unescape(data) == message
