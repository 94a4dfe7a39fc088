"""The tests in firmware_tests, run as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_designs
import vendor_fixtures
from tiny_designs import INPUT, OUTPUT, stimulus, sums, write

from trigforge.core import port_file
from trigforge.core.store import write_manifest

pytestmark = pytest.mark.toolchain

ROOT = Path(__file__).resolve().parents[2]
PORTS = {
    "name": "sums",
    "language": "verilog",
    "sources": ["top.v"],
    "part": "xcvu13p-flga2577-2-e",
    "clock_mhz": 320.0,
    "latency_cycles": 3,
    "interval_cycles": 1,
    "inputs": [port_file.write(INPUT)],
    "outputs": [port_file.write(OUTPUT)],
}


@pytest.fixture(scope="module")
def store_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


def write_vectors(folder: Path) -> None:
    folder.mkdir(parents=True)
    events = stimulus()
    np.save(folder / "inputs.npy", events.inputs.raw)
    np.save(folder / "outputs.npy", sums(events.inputs.raw).raw)
    (folder / "blocks.json").write_text(json.dumps(events.blocks))


def firmware_of(folder: Path, text: str) -> Path:
    write(folder, text)
    write_vectors(folder / "vectors")
    (folder / "ports.json").write_text(json.dumps(PORTS))
    write_manifest(folder, "made by hand")
    return folder


def run_tests(store_folder, *options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-k", "verilator", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "firmware_tests", "--store", store_folder, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_right_firmware_passes(tmp_path, store_folder):
    folder = firmware_of(tmp_path / "right", tiny_designs.SUMS)
    completed = run_tests(store_folder, "--firmware", folder)
    assert completed.returncode == 0, completed.stdout
    assert "1 passed" in completed.stdout


@pytest.mark.parametrize("fault", ["WRONG_CONSTANT", "DATA_TOO_EARLY", "VALID_TOO_EARLY"])
def test_a_planted_fault_fails_with_cycle_and_event(fault, tmp_path, store_folder):
    folder = firmware_of(tmp_path / "wrong", getattr(tiny_designs, fault))
    completed = run_tests(store_folder, "--firmware", folder)
    assert completed.returncode == 1
    assert "an event every cycle: held_out: cycle 1" in completed.stdout
    assert "event 0 (held_out[0]" in completed.stdout


def test_vendor_rtl_is_tested_with_the_ports_of_its_project(tmp_path, store_folder):
    (tmp_path / "verilog").mkdir()
    (tmp_path / "verilog" / "net.v").write_text(vendor_fixtures.PACKED)
    write_vectors(tmp_path / "vectors")
    ports = {key: PORTS[key] for key in ("inputs", "outputs")}
    (tmp_path / "ports.json").write_text(json.dumps({"name": "net", **ports}))
    options = ["--vendor-rtl", tmp_path / "verilog", "--vectors", tmp_path / "vectors"]
    completed = run_tests(
        store_folder, *options, "--ports", tmp_path / "ports.json", "--interval", "1"
    )
    assert completed.returncode == 0, completed.stdout
    completed = run_tests(store_folder, *options)
    assert completed.returncode == 1
    assert "--vendor-rtl needs --vectors FOLDER and --ports FILE" in completed.stdout
