"""Options of the firmware tests: which RTL is tested, with which vectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigforge.core.store import Store

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser):
    group = parser.getgroup("firmware")
    group.addoption(
        "--firmware",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="firmware written by trigforge rtl (any number; default: all below firmware/)",
    )
    group.addoption("--vendor-rtl", type=Path, metavar="FOLDER", help="Verilog a vendor exported")
    group.addoption("--vectors", type=Path, metavar="FOLDER", help="its inputs.npy and outputs.npy")
    group.addoption("--ports", type=Path, metavar="FILE", help="ports.json of its HLS project")
    group.addoption(
        "--interval", type=int, metavar="CYCLES", help="cycles from one event to the next"
    )
    group.addoption(
        "--store",
        type=Path,
        default=ROOT / ".trigforge",
        metavar="FOLDER",
        help="where compiled simulations are kept",
    )


@pytest.fixture(scope="session")
def store(pytestconfig) -> Store:
    return Store(pytestconfig.option.store)
