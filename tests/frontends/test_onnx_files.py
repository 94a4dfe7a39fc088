import model_files
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from trigforge.core.errors import InputError
from trigforge.frontends import open_model


def changed(tmp_path, change):
    path = model_files.float_onnx(tmp_path / "net.onnx")
    model = onnx.load(path)
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def rename_domain(model):
    model.graph.node[1].domain = "os.path"


def add_input(model):
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1]))


def use_loop(model):
    model.graph.node[1].op_type = "Loop"


def hold_graph(model):
    model.graph.node[1].attribute.append(helper.make_attribute("then_branch", model.graph))


def define_function(model):
    model.functions.append(helper.make_function("d", "f", ["a"], ["a"], [], []))


def put_outside(model):
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def announce_much(model):
    model.graph.initializer[0].dims[0] = 1 << 40


def make_infinite(model):
    values = onnx.numpy_helper.to_array(model.graph.initializer[1]).copy()
    values[0] = np.inf
    model.graph.initializer[1].CopyFrom(onnx.numpy_helper.from_array(values, "b0"))


def many_events(model):
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rename_domain, "operator Relu of os.path .* is not known"),
        (add_input, "2 inputs and 1 outputs"),
        (use_loop, "operator Loop .* is not known"),
        (hold_graph, "holds a graph"),
        (define_function, "defines functions of its own"),
        (put_outside, "lies in another file"),
        (announce_much, "above 2..28"),
        (make_infinite, "not finite"),
        (many_events, "expected .1 or unknown"),
    ],
)
def test_what_is_no_plain_network_is_refused_by_name(tmp_path, change, message):
    with pytest.raises(InputError, match=message) as refused:
        open_model(changed(tmp_path, change))
    assert len(str(refused.value).splitlines()) == 1
