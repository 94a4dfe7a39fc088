"""``trigforge report``: a page anew, or two runs on one."""

from pathlib import Path

import pytest

from trigforge.core.errors import InputError
from trigforge.report import page


@pytest.fixture
def stub_page(monkeypatch):
    """Stand in for what reads and writes; return what was asked of it."""
    calls = []

    def publish(report_file: Path) -> Path:
        calls.append(report_file)
        return report_file.with_suffix(".html")

    class Named:
        def __init__(self, path: Path) -> None:
            self.name = path.parent.name

    monkeypatch.setattr(page, "locate", lambda run: run / "report.json")
    monkeypatch.setattr(page, "read", Named)
    monkeypatch.setattr(page, "publish", publish)
    monkeypatch.setattr(page, "compare", lambda a, b: f"{a.name} and {b.name}")
    return calls


def test_the_page_of_a_run_is_written_and_named(trigforge_says, stub_page):
    code, out, _ = trigforge_says("report", "reports/jets")
    assert (code, out) == (0, "reports/jets/report.html: written\n")
    assert stub_page == [Path("reports/jets/report.json")]


def test_two_runs_go_to_a_file_of_their_own_among_the_reports(trigforge_says, stub_page, tmp_path):
    code, out, _ = trigforge_says("--reports", tmp_path, "report", "--compare", "r/a", "r/b")
    path = tmp_path / "a_against_b.html"
    assert (code, out) == (0, f"{path}: written\n")
    assert path.read_text() == "a and b"
    assert stub_page == []


def test_or_to_the_file_that_is_named(trigforge_says, stub_page, tmp_path):
    path = tmp_path / "both.html"
    code, _, _ = trigforge_says("report", "--compare", "r/a", "r/b", "--out", path)
    assert (code, path.read_text()) == (0, "a and b")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name either a RUN, such as reports/NAME, or two runs"),
        (("r/a", "--compare", "r/a", "r/b"), "name either a RUN"),
        (("r/a", "--out", "x.html"), "--out is for --compare"),
    ],
)
def test_what_makes_no_sense_is_refused(trigforge_says, stub_page, arguments, message):
    code, _, err = trigforge_says("report", *arguments)
    assert code == 2
    assert message in " ".join(err.split())
    assert stub_page == []


def test_a_run_that_is_none_is_one_message(trigforge_says, monkeypatch):
    def refuse(run: Path) -> Path:
        msg = f"{run} is no run"
        raise InputError(msg)

    monkeypatch.setattr(page, "locate", refuse)
    code, _, err = trigforge_says("report", "nowhere")
    assert (code, err) == (2, "trigforge: nowhere is no run\n")
