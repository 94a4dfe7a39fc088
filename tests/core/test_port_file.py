import json

import pytest

from trigforge.core import port_file
from trigforge.core.errors import InputError
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Port

PORT = Port(name="inputs", shape=(4, 4, 1), format=parse_format("ufixed<7,3,RND,SAT>"))


def test_a_port_survives_json():
    entry = json.loads(json.dumps(port_file.write(PORT)))
    assert port_file.read(entry) == PORT
    assert entry["total_bits"] == 112


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "float"}, "no fixed-point type"),
        ({"format": None}, "needs name, shape and format"),
        ({"shape": [4, 0]}, "whole numbers above zero"),
        ({"shape": [4, "x"]}, "whole numbers above zero"),
        ({"shape": 3}, "needs name, shape and format"),
    ],
)
def test_a_port_that_says_nonsense_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        port_file.read(port_file.write(PORT) | change)
