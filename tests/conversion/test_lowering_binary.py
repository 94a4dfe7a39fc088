"""Binary layers by hls4ml against products of -1 and 1, written out."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from qonnx.util.basic import qonnx_make_model
from simulating import hardware

from trigforge.conversion import importing
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import RawTensor
from trigforge.evaluation import evaluate
from trigforge.frontends import open_model

LINK = parse_format("fixed<8,4>")


def network(path, n_in, n_out, *, binary_weights=True):
    """The sign of the input, a matrix product, and the sums as they are."""
    random = np.random.default_rng(n_in)
    weights = random.normal(size=(n_in, n_out)).astype(np.float32)
    constants = {"one": np.ones(1, np.float32), "w": weights}
    nodes = [helper.make_node("BipolarQuant", ["x", "one"], ["s"], "sign")]
    nodes[0].domain = "qonnx.custom_op.general"
    matrix = "w"
    if binary_weights:
        node = helper.make_node("BipolarQuant", ["w", "one"], ["wb"], "signs")
        node.domain = "qonnx.custom_op.general"
        nodes.append(node)
        matrix = "wb"
    else:
        constants["w"] = np.rint(weights * 4) / 4
    nodes.append(helper.make_node("MatMul", ["s", matrix], ["y"], "product"))
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, n_in])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, n_out])],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = qonnx_make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return constants["w"]


@pytest.mark.parametrize("binary_weights", [True, False])
@pytest.mark.parametrize(("n_in", "n_out"), [(3, 4), (8, 2), (17, 5)])
def test_sums_of_signs_are_those_of_minus_one_and_one(tmp_path, n_in, n_out, binary_weights):
    path = tmp_path / "net.onnx"
    weights = network(path, n_in, n_out, binary_weights=binary_weights)
    model = open_model(path)
    formats = importing.base_configuration(model.network, hardware())
    graph = importing.convert(model.network, "net", LINK, formats, hardware()).arithmetic
    raw = np.random.default_rng(1).integers(-128, 128, size=(100, n_in))
    signs = np.where(raw >= 0, 1, -1)
    matrix = np.where(weights >= 0, 1, -1) if binary_weights else weights
    outputs = evaluate(graph, RawTensor(format=LINK, raw=raw)).outputs
    np.testing.assert_array_equal(outputs.raw * outputs.format.lsb, signs @ matrix)
