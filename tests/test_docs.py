"""Every command of the documentation runs, and ends with the exit code that its page states.

So does every piece of Python. All run in one scratch folder, with small models in the place of
the shipped ones.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import docs_project
import pytest
import typer

from trigforge.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"\s+#.*")
EXIT_CODE = re.compile(r"#.*\bexit code (\d)")
TRIGFORGE = ("trigforge", ".venv/bin/trigforge")
SHELL = ("cp", "rm", "sed")
"""Programs of the shell that pages use on what the commands before them wrote."""
NOT_RUN = {
    "make setup": "installs what the tests run in",
    "make benchmark": "takes minutes, and writes into the repository",
    ".venv/bin/python benchmarks/run.py emulation firmware": "takes minutes",
    ".ci/run": "is make's targets in turn, this suite among them",
    'export PATH="$PWD/.venv/bin:$PATH"': "is for the shell",
    ".venv/bin/python -m pytest firmware_tests --vendor-rtl EXPORTED/hdl/verilog "
    "--ports hls_projects/NAME/ports.json --vectors firmware/NAME/vectors": (
        "needs RTL that Vitis HLS wrote; tests/cosim plays some"
    ),
}
"""Commands that cannot run in the scratch folder, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line of a page."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"

    @property
    def plain(self) -> str:
        """The command without its comment."""
        return COMMENT.sub("", self.text)

    @property
    def exit_code(self) -> int:
        stated = EXIT_CODE.search(self.text)
        return int(stated[1]) if stated else 0

    def words(self) -> list[str]:
        """Split as the shell does; patterns become the files of the current folder."""
        found: list[str] = []
        for word in shlex.split(self.plain):
            matches = sorted(str(path) for path in Path().glob(word)) if "*" in word else []
            found += matches or [word]
        return found


def commands(text: str, page: str) -> list[Command]:
    """Return the commands of a page's sh blocks; a backslash joins two lines."""
    found = []
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(2)) + 1
        for entry in block[2].replace("\\\n", "\0").splitlines():
            whole = " ".join(part.strip() for part in entry.split("\0"))
            if whole and not whole.startswith("#"):
                found.append(Command(page=page, line=line, text=whole))
            line += 1 + entry.count("\0")
    return found


def commands_of(page: Path) -> list[Command]:
    return commands(page.read_text(), page.name)


def all_commands() -> list[Command]:
    return [command for page in PAGES for command in commands_of(page)]


def unknown_in(text: str) -> list[str]:
    """Name what a mention of the program has and the program has not: a command, options."""
    known = typer.main.get_command(app)
    words = shlex.split(text)[1:]
    while words and hasattr(known, "commands") and not words[0].startswith("--"):
        if words[0] not in known.commands:
            return [words[0]]
        known = known.commands[words.pop(0)]
    options = {option for parameter in known.params for option in parameter.opts}
    return [word for word in words if word.startswith("--") and word not in options]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    docs_project.make(folder)
    return folder


@pytest.fixture
def project(made, tmp_path) -> Path:
    """The scratch folder of a page: no page needs what another one wrote."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def follow(project, session_store, trigforge_says, monkeypatch):
    """Run a command as its page says, in the scratch folder."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("TRIGFORGE_STORE", str(session_store.root))

    def run(command: Command) -> None:
        program, *arguments = command.words()
        if program in TRIGFORGE:
            code, out, err = trigforge_says(*arguments)
        elif program in SHELL:
            done = subprocess.run(
                [program, *arguments], check=False, capture_output=True, text=True
            )
            code, out, err = done.returncode, done.stdout, done.stderr
        else:
            pytest.fail(f"{command}: nobody knows how to run {program}; see NOT_RUN")
        assert code == command.exit_code, f"{command}\nexit code {code}\n{out}\n{err}"

    return run


@pytest.mark.toolchain
@pytest.mark.pipeline
@pytest.mark.parametrize(
    "page", [page for page in PAGES if commands_of(page)], ids=lambda page: page.stem
)
def test_every_command_of_a_page_ends_as_the_page_says(page, follow):
    for command in commands_of(page):
        if command.plain not in NOT_RUN:
            follow(command)


@pytest.mark.toolchain
@pytest.mark.pipeline
@pytest.mark.parametrize(
    "page", [page for page in PAGES if PYTHON.search(page.read_text())], ids=lambda page: page.stem
)
def test_every_piece_of_python_on_a_page_runs(page, follow):
    follow(Command(page=page.name, line=0, text="trigforge convert models/jet_tagger.yaml"))
    for code in PYTHON.findall(page.read_text()):
        exec(compile(code, page.name, "exec"), {})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("trigforge judge models/jet_tagger.yaml", "exit code 2"),
        ("trigforge budget models/jet_tagger.yaml --no-such-option", "exit code 2"),
        ("trigforge budget models/no_such_model.yaml", "exit code 2"),
        (".venv/bin/trigforge --version   # exit code 1: it never fails", "exit code 0"),
        ("rm no_such_file", "exit code 1"),
        ("make everything", "nobody knows how to run make"),
    ],
)
def test_a_wrong_command_is_seen(text, fault, follow):
    (command,) = commands(f"words\n\n```sh\n{text}\n```\n", "page.md")
    assert command.line == 4
    with pytest.raises((AssertionError, pytest.fail.Exception), match=fault):
        follow(command)


def test_commands_are_read_with_their_lines_comments_and_exit_codes():
    lines = (
        "# no command",
        "trigforge run a.yaml \\",
        "  --quiet",
        "",
        "rm b # exit code 1: no",
    )
    text = "\n".join(("words", "```sh", *lines, "```", ""))
    first, second = commands(text, "page.md")
    assert (first.line, first.plain, first.exit_code) == (4, "trigforge run a.yaml --quiet", 0)
    assert (second.line, second.plain, second.exit_code) == (7, "rm b", 1)


def test_what_is_not_run_stands_on_a_page_and_its_targets_exist():
    found = {command.plain for command in all_commands()}
    assert set(NOT_RUN) <= found
    makefile = (ROOT / "Makefile").read_text()
    mentioned = {
        target for page in PAGES for target in re.findall(r"`make ([a-z-]+)", page.read_text())
    }
    targets = mentioned | {name.split()[1] for name in NOT_RUN if name.startswith("make ")}
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_benchmarks_that_pages_name_exist():
    run = (ROOT / "benchmarks" / "run.py").read_text()
    names = {
        name
        for page in PAGES
        for line in re.findall(r"benchmarks/run\.py([ a-z_]+)", page.read_text())
        for name in line.split()
    }
    assert names
    for name in names:
        assert f'    "{name}": ' in run, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_mention_of_a_command_in_the_text_is_one(page):
    for text in re.findall(r"`(trigforge [a-z-][^`]*)`", page.read_text()):
        assert unknown_in(text) == [], text


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("trigforge judge SPEC", ["judge"]),
        ("trigforge export pdf SPEC", ["pdf"]),
        ("trigforge rtl SPEC --speed", ["--speed"]),
        ("trigforge export onnx SPEC --out FILE", []),
    ],
)
def test_a_mention_of_a_command_that_does_not_exist_is_seen(text, unknown):
    assert unknown_in(text) == unknown
