from __future__ import annotations

import re

import numpy as np
import pytest
import qkeras
from simulating import LINK, Case, cast, chain, hardware, relu, weights, write

from trigforge import csim
from trigforge.conversion.convert import convert
from trigforge.core.errors import ConversionError, ToolError
from trigforge.core.fixed_point import parse_format
from trigforge.core.store import Store


def dense(n: int, **options):
    return qkeras.QDense(n, **(weights() | options))


def small_network(name: str = "logits"):
    return chain((3,), relu(name="rectified"), dense(2, name=name))


def test_the_ports_are_those_that_the_c_declares():
    conversion = convert(small_network(), "net", LINK, hardware())
    header = conversion.files["firmware/net.h"].decode()
    assert "inputs[3]" in header
    assert conversion.input.shape == (3,)
    assert str(conversion.input.format) == "ap_fixed<6,3>"
    assert conversion.input_definition == "input_t inputs[3]"
    assert conversion.output.shape == (2,)
    assert f"typedef {conversion.output.format} result_t;" in " ".join(
        conversion.files["firmware/defines.h"].decode().split()
    )


def test_in_a_stream_the_ports_have_the_format_of_an_element():
    conversion = convert(small_network(), "net", LINK, hardware("io_stream"))
    assert str(conversion.input.format) == "ap_fixed<6,3>"
    assert "hls::stream<input_t>" in conversion.input_definition


def test_the_accumulator_holds_every_sum():
    conversion = convert(chain((3,), dense(2, name="logits")), "net", LINK, hardware())
    assert conversion.output.format == parse_format("fixed<14,7>")


def test_weights_are_written_as_they_are_quantised():
    model = small_network()
    model.get_layer("logits").kernel.assign(np.arange(-3, 3).reshape(3, 2) / 8)
    conversion = convert(model, "net", LINK, hardware())
    text = conversion.files["firmware/weights/w3.h"].decode()
    values = re.search(r"\{(.*)\}", text)[1]
    assert sorted(float(value) for value in values.split(",")) == [
        -0.375, -0.25, -0.125, 0, 0.125, 0.25
    ]  # fmt: skip


def test_a_refused_layer_is_named_before_hls4ml_sees_it():
    model = chain((3,), dense(2, name="bare", kernel_quantizer=None))
    with pytest.raises(ConversionError, match="layer bare: its kernel is not quantised"):
        convert(model, "net", LINK, hardware())


def test_an_accumulator_beyond_float64_is_refused():
    wide = {**weights(30, 1), "name": "huge"}
    model = chain((8,), cast(24, 3), qkeras.QDense(2, **wide))
    with pytest.raises(ConversionError, match=r"layer huge: \w+ is fixed<58,10\S+, 58 bits; .*53"):
        convert(model, "net", LINK, hardware())


def test_a_link_beyond_float64_is_refused():
    with pytest.raises(ConversionError, match="54 bits"):
        convert(small_network(), "net", parse_format("fixed<54,10>"), hardware())


def test_joining_a_symmetric_and_another_format_is_refused():
    import keras

    inputs = keras.Input((3,), name="inputs")
    parts = [cast(5, 2, 1, name="one")(inputs), cast(5, 2, 0, name="two")(inputs)]
    model = keras.Model(inputs, keras.layers.Concatenate(name="joined")(parts))
    with pytest.raises(ConversionError, match="layer joined: .* cannot be joined exactly"):
        convert(model, "net", LINK, hardware())


def test_what_hls4ml_refuses_is_told_with_its_version(monkeypatch):
    import hls4ml

    def fail(*arguments, **options):
        msg = "no such luck"
        raise RuntimeError(msg)

    monkeypatch.setattr(hls4ml.converters, "convert_from_keras_model", fail)
    with pytest.raises(ConversionError, match=r"hls4ml 1\S+ cannot convert net for Vitis: no such"):
        convert(small_network(), "net", LINK, hardware())


def test_converting_prints_nothing_and_leaves_the_model_alone(capfd):
    model = small_network()
    before = [np.asarray(variable) for variable in model.weights]
    convert(model, "net", LINK, hardware())
    assert capfd.readouterr().out == ""
    for variable, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), value)


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
@pytest.mark.parametrize("backend", ["Quartus", "oneAPI", "Catapult"])
def test_other_backends_write_a_project_that_the_c_simulation_refuses(tmp_path, backend, io_type):
    part = {"Quartus": "Arria10", "oneAPI": "Arria10", "Catapult": "xcvu13p-flga2577-2-e"}[backend]
    case = Case(model=small_network(), hardware=hardware(io_type, backend=backend, part=part))
    written = write(case, tmp_path / "net")
    assert written.backend == backend
    assert (written.folder / "tb_data/inputs_raw.txt").exists()
    assert not (written.folder / "tb_data/raw_test_bench.hpp").exists()
    assert "does not compare with them" in (written.folder / "README.md").read_text()
    with pytest.raises(ToolError, match=f"backend {backend} needs the vendor's compiler; g\\+\\+"):
        csim.build(written, Store(tmp_path / "store"))
