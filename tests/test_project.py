"""The habits of the project, held by tests."""

import ast
import os
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import trigforge

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "trigforge"
MODULES = sorted(SOURCE.rglob("*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
EXCUSE = "Long because"
CI_TARGETS = ["setup", "lint", "types", "imports", "docs", "review", "firmware-test", "test"]
TARGETS = [*CI_TARGETS, "help", "run", "benchmark", "constraints", "clean"]
REGISTRY = re.compile(
    r"https?://|pypi|(?<!no-emit-)(?:extra-index|default-index|index-url|find-links)\b"
)


def pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [
        Requirement(line) for line in lines if line.strip() and not line.lstrip().startswith("#")
    ]


def direct_dependencies() -> list[Requirement]:
    project = PYPROJECT["project"]
    extras = [name for names in project["optional-dependencies"].values() for name in names]
    names = [*project["dependencies"], *extras, *PYPROJECT["dependency-groups"]["dev"]]
    return [Requirement(name) for name in names]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def too_long(text: str) -> list[str]:
    """Name what is over the limits and does not say why."""
    tree = ast.parse(text)
    found = []
    n_lines = len(text.splitlines())
    if n_lines > MAX_FILE_LINES and EXCUSE not in (ast.get_docstring(tree) or ""):
        found.append(f"{n_lines} lines")
    for node in functions(tree):
        n_lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if n_lines > MAX_FUNCTION_LINES and EXCUSE not in (ast.get_docstring(node) or ""):
            found.append(f"{node.name}: {n_lines} lines")
    return found


def has_code(path: Path) -> bool:
    """More than a docstring, imports and assignments of names."""
    nodes = ast.parse(path.read_text()).body
    return any(isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for n in nodes)


def in_makefile(target: str) -> bool:
    return re.search(rf"^{re.escape(target)}:.* ## ", makefile(), re.MULTILINE) is not None


def makefile() -> str:
    return (ROOT / "Makefile").read_text()


def test_every_pin_is_one_exact_version():
    for pin in pins():
        assert re.fullmatch(r"==[0-9][0-9a-z.+]*", str(pin.specifier)), str(pin)


def test_every_direct_dependency_is_pinned_within_its_range():
    pinned = {canonicalize_name(pin.name): pin for pin in pins()}
    for wanted in direct_dependencies():
        pin = pinned[canonicalize_name(wanted.name)]
        (version,) = (specifier.version for specifier in pin.specifier)
        assert wanted.specifier.contains(version), f"{pin} is not within {wanted}"


def test_what_is_installed_is_what_is_pinned():
    for pin in pins():
        if pin.marker is None or pin.marker.evaluate():
            installed = metadata.version(pin.name)
            assert pin.specifier.contains(installed), f"{pin.name} {installed}: run make setup"


@pytest.mark.parametrize(
    "path", ["constraints.txt", "Makefile", "pyproject.toml", ".ci/run", ".github/workflows/ci.yml"]
)
def test_set_up_names_no_registry(path):
    assert REGISTRY.findall((ROOT / path).read_text()) == []


def test_a_registry_would_be_seen():
    assert REGISTRY.search("--index-url https://example.org/simple")
    assert REGISTRY.search("--extra-index-url mirror")


def test_the_only_qkeras_is_the_one_for_keras_3():
    assert set(metadata.packages_distributions()["qkeras"]) == {"qkeras-v3"}
    names = {canonicalize_name(d.metadata["Name"]) for d in metadata.distributions()}
    assert "hgq2" not in names | {canonicalize_name(pin.name) for pin in pins()}


def test_pythia_is_never_built_from_source():
    assert "pythia8mc" in PYPROJECT["tool"]["uv"]["no-build-package"]


@pytest.mark.parametrize("target", TARGETS)
def test_the_makefile_has_the_target_and_lists_it(target):
    assert in_makefile(target)


def test_make_lists_its_targets_by_default():
    done = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {line.split()[0] for line in done.stdout.splitlines()} >= set(TARGETS)


def test_ci_is_executable_and_ends_with_the_tests():
    script = ROOT / ".ci" / "run"
    text = script.read_text()
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    (targets,) = re.findall(r"^for target in (.*); do$", text, re.MULTILINE)
    assert [*targets.split(), "test"] == CI_TARGETS
    assert re.search(r"^make --no-print-directory test 2>&1 \|\n    sed .*\n\Z", text, re.MULTILINE)
    assert "set -euo pipefail" in text  # what filters the output must not hide a failure


def test_the_hosted_workflow_runs_the_same_targets_as_ci():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert re.findall(r"run: make (\S+)", text) == CI_TARGETS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_and_functions_are_short_or_say_why(path):
    assert too_long(path.read_text()) == []


def test_a_long_function_and_a_long_file_are_seen():
    body = "    x = 1\n" * MAX_FUNCTION_LINES
    assert too_long(f"def f():\n{body}") == [f"f: {MAX_FUNCTION_LINES + 1} lines"]
    assert too_long(f'def f():\n    """{EXCUSE} it is a table."""\n{body}') == []
    assert too_long("x = 1\n" * (MAX_FILE_LINES + 1)) == [f"{MAX_FILE_LINES + 1} lines"]


@pytest.mark.parametrize(
    "path", [path for path in MODULES if has_code(path)], ids=lambda p: str(p.relative_to(SOURCE))
)
def test_tests_mirror_the_source(path):
    """A top-level module has its test file; a module of a package at least its test folder."""
    module = path.relative_to(SOURCE)
    package = module.parts[0].removesuffix(".py")
    tests = [ROOT / "tests" / f"test_{package}.py", *(ROOT / "tests" / package).rglob("test_*.py")]
    assert any(test.is_file() for test in tests), f"nothing in tests/ mirrors {module}"


def test_no_two_test_files_share_a_name():
    """The test folders are no packages: pytest refuses a second module of the same name."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_the_version_has_one_source():
    assert PYPROJECT["project"]["dynamic"] == ["version"]
    assert PYPROJECT["tool"]["hatch"]["version"]["path"] == "src/trigforge/__init__.py"
    assert metadata.version("trigforge") == trigforge.__version__


def test_the_package_says_what_it_is():
    about = metadata.metadata("trigforge")
    assert about["License-Expression"] == "Apache-2.0"
    assert about["Requires-Python"] == "<3.13,>=3.11"
    assert about["Description-Content-Type"] == "text/markdown"
    (command,) = metadata.entry_points(group="console_scripts", name="trigforge")
    assert command.value == "trigforge.cli:main"


def test_the_licence_is_the_whole_text():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert text.count("\n") > 195
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_readme_begins_with_the_two_commands():
    first, second, *_ = (ROOT / "README.md").read_text().splitlines()
    assert first.split("#")[0].strip() == "make run"
    assert second.split("#")[0].strip() == "make test"


def test_releases_are_listed_newest_first():
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    versions = [tuple(map(int, heading.split("."))) for heading in headings[1:]]
    assert all(newer > older for newer, older in pairwise(versions))
