import pytest

from trigforge.core.errors import SpecError
from trigforge.vendor import devices
from trigforge.vendor.devices import DEVICES, Architecture


@pytest.mark.parametrize(
    ("part", "device"),
    [
        ("xcvu13p-flga2577-2-e", "xcvu13p"),
        ("XCVU13P-FLGA2577-2-E", "xcvu13p"),
        ("xcvu13p", "xcvu13p"),
        ("xcvu9p-flgb2104-2-i", "xcvu9p"),
        ("xcku115-flvb2104-2-e", "xcku115"),
        ("xc7vx690tffg1927-2", "xc7vx690t"),
        ("xc7vx690t", "xc7vx690t"),
        ("xcu250-figd2104-2L-e", "xcu250"),
        ("xck26-sfvc784-2LV-c", "xck26"),
        ("xcvp1802-lsvc4072-2MP-e-S", "xcvp1802"),
    ],
)
def test_a_part_is_found_by_its_device(part, device):
    assert devices.find(part) is DEVICES[device]


@pytest.mark.parametrize(
    "part",
    [
        *("xcvu13", "xcvu13pp-flga2577-2-e", "xcvu95-ffva2104-2-e", "xcvu9", "xcvp18025"),
        *("xc7vx690", "xc7vx690tx-2", "vu13p", "", " xcvu13p", "xcvu13p\n", "xcvu13p-", "kv260"),
    ],
)
def test_a_name_that_only_looks_like_a_known_part_is_refused(part):
    with pytest.raises(SpecError, match=r"unknown FPGA part .*known: xc7vx690t, xck26, xcku115"):
        devices.find(part)


def test_the_slrs_of_a_device_share_its_totals():
    assert devices.find("xcvu9p").slr_share == 1 / 3
    assert devices.find("xck26").slr_share == 1


def test_the_table_is_consistent_with_the_architecture_of_its_logic_blocks():
    for name, device in DEVICES.items():
        assert device.ff == 2 * device.lut, name  # 4 LUTs and 8 flip-flops a slice, or 8 and 16
        assert device.bram_18k % 2 == 0, name  # halves of blocks of 36 kb
        assert device.uram == 0 or "+" in device.architecture or device.architecture == "Versal"
    assert {device.architecture for device in DEVICES.values()} == set(Architecture)


@pytest.mark.parametrize(
    ("name", "primitive"),
    [("xc7vx690t", "DSP48E1"), ("xcku115", "DSP48E2"), ("xck26", "DSP48E2"), ("xcvp1802", "DSP58")],
)
def test_each_architecture_has_its_own_dsp(name, primitive):
    assert DEVICES[name].dsp_primitive == primitive
