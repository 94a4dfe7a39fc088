import pytest

from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Port
from trigforge.rtl.ports import Bits, from_logic, to_logic

PORT = Port(name="in_data", shape=(3,), format=parse_format("fixed<6,3>"))
CARRIED = (Bits(True, 5, 0), Bits(False, 0, 0), Bits(False, 4, -1))


def test_only_the_bits_that_vary_go_to_the_logic():
    found = to_logic(PORT, CARRIED, "verilog")
    assert [(entry.high, entry.low, entry.value) for entry in found] == [
        (5, 0, "in_data[5:0]"),
        (8, 6, "in_data[15:13]"),
    ]


@pytest.mark.parametrize(
    ("bits", "verilog", "vhdl"),
    [
        (Bits(True, 5, 0), "logic_out[5:0]", "logic_out(5 downto 0)"),
        (
            Bits(True, 2, 0),
            "{{3{logic_out[2]}}, logic_out[2:0]}",
            "(3 - 1 downto 0 => logic_out(2)) & logic_out(2 downto 0)",
        ),
        (
            Bits(False, 4, -1),
            "{2'b0, logic_out[2:0], 1'b0}",
            "(2 - 1 downto 0 => '0') & logic_out(2 downto 0) & (1 - 1 downto 0 => '0')",
        ),
        (Bits(False, 0, 0), "6'b0", "(6 - 1 downto 0 => '0')"),
        # A constant of alkaid may be called wider than the port's element: low bits count.
        (Bits(True, 8, 0), "logic_out[5:0]", "logic_out(5 downto 0)"),
    ],
)
def test_an_output_is_widened_to_its_format(bits, verilog, vhdl):
    port = Port(name="out_data", shape=(1,), format=PORT.format)
    for language, expected in (("verilog", verilog), ("vhdl", vhdl)):
        (entry,) = from_logic(port, [bits], language)
        assert (entry.high, entry.low, entry.value) == (5, 0, expected)
