"""The page about CI can be copied as it stands: its YAML parses, its commands exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from trigforge.cli.app import app

PAGE = Path(__file__).parents[2] / "docs" / "ci.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def github() -> dict:
    return yaml.safe_load(blocks("yaml")[0])


def gitlab() -> dict:
    return yaml.safe_load(blocks("yaml")[1])


def lines() -> list[str]:
    steps = github()["jobs"]["check"]["steps"]
    shell = [step["run"] for step in steps if "run" in step]
    shell += gitlab()["firmware"]["script"]
    shell += blocks("sh")
    return [line for text in shell for line in text.splitlines() if line.startswith("trigforge ")]


def refuse_unknown(words: list[str]) -> None:
    """Parse the words of a command as the command line does; an unknown one raises."""
    commands = typer.main.get_command(app)
    command = commands.commands[words[0]]
    known = {option for parameter in command.params for option in parameter.opts}
    unknown = [word for word in words[1:] if word.startswith("--") and word not in known]
    assert not unknown, unknown


def test_the_page_holds_both_systems():
    assert len(lines()) == 4
    assert len(blocks("yaml")) == 2


def test_every_command_of_the_page_exists_with_its_options():
    for line in lines():
        refuse_unknown(shlex.split(line)[1:])


@pytest.mark.parametrize("words", [["check", "--no-such-option"], ["judge"]])
def test_a_command_that_does_not_exist_would_be_seen(words):
    with pytest.raises((AssertionError, KeyError)):
        refuse_unknown(words)


def test_the_github_workflow_keeps_store_and_reports_even_if_a_check_fails():
    workflow = github()
    assert workflow["permissions"] == {"contents": "read"}
    assert set(workflow[True]) == {"pull_request", "push"}  # YAML 1.1 takes "on" for a truth value
    steps = workflow["jobs"]["check"]["steps"]
    assert all(("uses" in step) is not ("run" in step) for step in steps)
    names = [step.get("name") for step in steps]
    after = steps[names.index("Check the firmware") + 1 :]
    assert [step["if"] for step in after] == ["always()", "always()"]
    stores = [step["with"] for step in steps if "actions/cache" in step.get("uses", "")]
    assert [store["path"] for store in stores] == [".trigforge", ".trigforge"]
    assert stores[0]["key"] == stores[1]["key"]
    assert "junit.xml" in after[-1]["with"]["path"].split()


def test_the_gitlab_job_keeps_store_and_reports_even_if_a_check_fails():
    (job,) = gitlab().values()
    assert (job["cache"]["when"], job["cache"]["paths"]) == ("always", [".trigforge/"])
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["reports"] == {"junit": "junit.xml"}


def test_every_file_a_check_writes_is_one_that_is_kept():
    for line in lines():
        words = shlex.split(line)
        if "--junit" in words:
            assert words[words.index("--junit") + 1] == "junit.xml"
