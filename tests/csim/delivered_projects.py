"""Projects of several versions of hls4ml, as ``projects/README.md`` describes them."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trigforge.core.fixed_point import parse_format
from trigforge.core.records import RawTensor

PROJECTS = Path(__file__).parent / "projects"
INPUT = parse_format("ap_fixed<8,4>")
RESULT = parse_format("ap_fixed<16,6>")
DENSE = ("fc1", "fc1_linear", "relu1", "fc2", "fc2_linear")
CONV = ("conv1", "conv1_linear", "relu1", "pool1", "fc2", "fc2_linear")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A project on disk, vectors of its own version's ``predict``, and what it is."""

    folder: Path
    inputs: RawTensor
    expected: NDArray[np.int64]


FACTS = {
    "hls4ml_0_7_1_dense_parallel": ("jets_v2", "Vivado", "io_parallel", DENSE),
    "hls4ml_0_8_1_conv_stream": ("myproject", "Vivado", "io_stream", CONV),
    "hls4ml_1_0_0_dense_stream": ("jets_v2", "Vitis", "io_stream", DENSE),
    "hls4ml_1_1_0_conv_parallel": ("myproject", "Vitis", "io_parallel", CONV),
    "hls4ml_1_1_0_dense_namespace": ("jets_v2", "Vitis", "io_stream", DENSE),
}
"""Name of the top function, backend, io type and layers of each."""


def unpack(name: str, folder: Path) -> Delivery:
    """Write a project into a folder."""
    with tarfile.open(PROJECTS / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return Delivery(
        folder=folder / "project",
        inputs=RawTensor(format=INPUT, raw=np.loadtxt(folder / "inputs_raw.txt", dtype=np.int64)),
        expected=np.loadtxt(folder / "expected_raw.txt", dtype=np.int64),
    )
