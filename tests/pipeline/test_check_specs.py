"""A check of many specs from the command line to the files CI reads, nothing mocked."""

import json
from xml.etree import ElementTree as ET

import pytest

from trigforge.gate import baseline


@pytest.mark.toolchain
@pytest.mark.pipeline
def test_a_good_spec_is_judged_beside_broken_ones(tiny_model, trigforge_says, tmp_path):
    good = tiny_model("jets_hlf")
    failing = tiny_model("top_images", {"budget": {"lut_share": 1e-6}})
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [")
    junit, stored = tmp_path / "junit.xml", tmp_path / "baseline.json"
    arguments = ("check", broken, failing.spec_file, "--quiet", "--jobs", "2")
    code, out, _ = trigforge_says(
        *good.command(*arguments, "--json", "--junit", junit, "--write-baseline", stored)
    )
    assert code == 1, out
    bad, failed, met = (json.loads(line) for line in out.splitlines())
    assert bad["error"].startswith(f"{broken}: not YAML")
    assert [line["name"] for line in failed["budget"] if not line["met"]] == ["LUT (estimated)"]
    assert met["error"] is None
    assert all(line["met"] for line in (*met["checks"], *met["budget"]))
    assert good.report["met"]
    root = ET.parse(junit).getroot()
    assert (root.get("failures"), root.get("errors")) == ("1", "1")
    assert sorted(baseline.read(stored).specs) == [good.spec.name]

    loosened = json.loads(stored.read_text())
    loosened["specs"]["tiny_jets"]["lut"]["value"] //= 2  # as if it had been half as large
    stored.write_text(json.dumps(loosened))
    code, out, _ = trigforge_says(*good.command("check", "--quiet", "--baseline", stored))
    assert code == 1
    assert "tiny_jets: FAILED: baseline: LUT: " in out
