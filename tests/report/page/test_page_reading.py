"""From the file of a run to its page: what is read, what is written, what is refused."""

import json
import re

import pytest
from page_reports import report

from trigforge.core.errors import InputError
from trigforge.report.page import locate, publish, read


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "tiny_jets"
    folder.mkdir()
    (folder / "report.json").write_text(report("hls").model_dump_json())
    return folder


def test_a_run_is_its_folder_or_its_report(run):
    assert locate(run) == locate(run / "report.json") == run / "report.json"
    assert read(locate(run)) == report("hls")


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"nothing is no run: .* write one by `trigforge run"):
        locate(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"there is no .*report\.json"):
        locate(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no report: .* write it anew"),
        ("[]", "report_version is None, this trigforge reads"),
        ('{"report_version": 1}', "report_version is 1, this trigforge reads"),
    ],
)
def test_what_is_no_report_is_refused(run, content, message):
    (run / "report.json").write_text(content)
    with pytest.raises(InputError, match=message):
        read(run / "report.json")


def test_a_report_with_a_wrong_number_is_refused_naming_it(run):
    path = run / "report.json"
    content = json.loads(path.read_text())
    content["agreements"][0]["n_values"] = -1
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"agreements\.0\.n_values: .* \(1 errors in all\)"):
        read(path)


def test_the_page_and_its_figures_lie_beside_the_report(run):
    (run / "figures").mkdir()
    (run / "figures" / "of_an_older_run.svg").write_text("stale")
    page = publish(run / "report.json")
    assert page == run / "report.html"
    links = set(re.findall(r'href="(figures/[^"]+)"', page.read_text()))
    assert links == {path.relative_to(run).as_posix() for path in (run / "figures").iterdir()}
    assert "figures/resources.pdf" in links
