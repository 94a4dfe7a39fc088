"""The parts of pages that are made at build: the spec's keys, the benchmarks' figures."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import tiny_models
import yaml
from pydantic import Field, create_model

from trigforge.core.config import ImportedSpec, Section, Spec
from trigforge.core.config.scan import ScanSpec
from trigforge.core.errors import SpecError
from trigforge.core.spec_file import parse_spec
from trigforge.scan import space

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HOOKS = DOCS / "hooks"
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES_WITH_SPECS = [page for page in DOCS.glob("*.md") if page.stem not in {"ci", "scan"}]


@pytest.fixture
def pages(monkeypatch):
    """The module that mkdocs calls while it builds."""
    monkeypatch.syspath_prepend(str(HOOKS))
    import pages

    yield pages
    for path in HOOKS.glob("*.py"):
        sys.modules.pop(path.stem, None)


@pytest.fixture
def reference(pages):
    return pages.spec_reference


def filled(pages, name):
    return pages.fill((DOCS / name).read_text())


def sections():
    """Return name and schema of every section of both forms of the spec."""
    for model in (Spec, ImportedSpec):
        schema = model.model_json_schema()
        yield model.__name__, schema
        yield from schema["$defs"].items()


def test_every_key_of_the_spec_is_in_the_reference_with_its_section(pages):
    text = filled(pages, "spec.md")
    for name, section in sections():
        heading = f"#section-{name.lower()}"
        assert name in {"Spec", "ImportedSpec"} or f"{{: {heading} }}" in text
        part = text.partition(f"{{: {heading} }}")[2] or text
        for key in section["properties"]:
            assert f"| `{key}` |" in part, (name, key)


def test_every_link_within_the_reference_leads_somewhere(reference):
    text = reference.render()
    anchors = re.findall(r"{: #([a-z0-9-]+) }", text)
    assert len(anchors) == len(set(anchors)) > 10
    assert set(re.findall(r"\]\(#([a-z0-9-]+)\)", text)) == set(anchors)


def test_types_defaults_and_limits_are_told(reference):
    lines = reference.render().splitlines()
    (sparsity,) = [line for line in lines if line.startswith("| `sparsity` |")]
    assert "number, at least 0, below 1 | `0.0` | share of weights pruned to zero" in sparsity
    (clock,) = [line for line in lines if line.startswith("| `clock_mhz` |")]
    assert "number, above 0, at most 1000 | required | clock" in clock
    (link,) = {line for line in lines if line.startswith("| `input_format` |")}
    assert "fixed-point format or `null` | `null` |" in link


@pytest.mark.parametrize("model", [Spec, ImportedSpec, ScanSpec])
def test_every_key_says_what_it_is(reference, model):
    assert reference.undescribed(model) == []


def test_a_key_that_says_nothing_would_be_named(reference):
    part = create_model(
        "Part", __base__=Section, mute=(int, ...), told=(int, Field(description="x"))
    )
    whole = create_model("Whole", __base__=Section, part=(part, ...), silent=(str, "a"))
    assert reference.undescribed(whole) == ["Whole.silent", "Part.mute"]


def test_every_figure_of_the_benchmarks_is_shown_once(pages):
    text = filled(pages, "benchmarks.md")
    figures = json.loads((ROOT / "benchmarks/results.json").read_text())
    shown = [
        cell
        for line in text.splitlines()
        if line.startswith("| `")
        for cell in line.strip("| ").split("|")[1:]
        if cell.strip()
    ]
    assert len(shown) == len(figures)


@pytest.fixture
def figures(pages, tmp_path):
    results = tmp_path / "results.json"
    values = {"a_s_jets": 1234.56, "a_s_tops_io_x": 3, "a_s": 0.123456}
    sweep = {"b_jets_interval_12": 1, "b_jets_interval_2": 2, "c_dense_4x4": 3, "b_dense_4x4": 4}
    results.write_text(json.dumps(values | sweep))
    return pages.Figures(results, ("jets", "tops"))


def test_figures_stand_in_the_column_of_their_model(figures):
    assert figures.by_quantity("a_*").splitlines() == [
        "| |  | `jets` | `tops` |",
        "|---|---:|---:|---:|",
        "| `a_s` | 0.123 | 1,235 |  |",
        "| `a_s_io_x` |  |  | 3 |",
    ]


def test_models_intervals_and_layers_may_be_the_rows(figures):
    assert figures.by_model("b_* c_*").splitlines() == [
        "| | `b` | `c` |",
        "|---|---:|---:|",
        "| `dense_4x4` | 4 | 3 |",
        "| `jets_interval_2` | 2 |  |",
        "| `jets_interval_12` | 1 |  |",
    ]


def test_what_no_table_has_shown_is_shown_by_the_last(figures):
    assert "a_s_io_x" in figures.by_quantity("*io_x")
    rest = figures.by_quantity("*")
    assert "a_s" in rest
    assert "io_x" not in rest
    assert figures.by_quantity("*") == "None."


def test_a_figure_that_is_gone_ends_the_build(pages, figures):
    with pytest.raises(ValueError, match=r"no figure of benchmarks/results.json matches d_\*"):
        figures.by_quantity("a_* d_*")
    with pytest.raises(ValueError, match="<!-- weather --> is nothing that can be made"):
        pages.fill("<!-- weather -->\n")


def fragments():
    """Return page and content of each yaml block; those of ci.md are no specs."""
    for page in sorted(PAGES_WITH_SPECS):
        for block in re.findall(
            r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL
        ):
            yield page.stem, yaml.safe_load(block)


def test_every_key_of_a_scan_is_in_its_reference(pages):
    text = filled(pages, "scan.md")
    schema = ScanSpec.model_json_schema()
    for section in (schema, *schema["$defs"].values()):
        for key in section["properties"]:
            assert f"| `{key}` |" in text, key


def test_the_scan_on_its_page_and_the_shipped_one_are_valid(tmp_path):
    (tmp_path / "scans").mkdir()
    (tmp_path / "models").symlink_to(ROOT / "models")
    (block,) = re.findall(YAML, (DOCS / "scan.md").read_text())
    (tmp_path / "scans" / "page.yaml").write_text(block)
    shown = space.read(tmp_path / "scans" / "page.yaml")
    shipped = space.read(ROOT / "scans" / "jet_tagger.yaml")
    assert shown.base == shipped.base
    assert shown.scan.n_trials >= 30


def with_fragment(fragment):
    data = tiny_models.spec_data("jets_hlf")
    for section, values in fragment.items():
        data[section] = data.get(section, {}) | values
    return parse_spec(data, where="page")


def test_every_part_of_a_spec_on_a_page_is_valid():
    found = list(fragments())
    assert {page for page, _ in found} >= {"physicist", "timemux", "vectors"}
    for _, fragment in found:
        with_fragment(fragment)


def test_a_wrong_key_on_a_page_is_seen():
    with pytest.raises(SpecError, match="hardware.clock: unknown key"):
        with_fragment({"hardware": {"clock": 320}})
