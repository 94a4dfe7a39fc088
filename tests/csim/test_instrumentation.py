import pytest

from trigforge.core.errors import InputError
from trigforge.csim.instrumentation import instrument
from trigforge.csim.signature import Kind, Signature, Tensor

ARRAYS = Signature(
    name="net",
    namespace="",
    input=Tensor(name="x", kind=Kind.ARRAY, type="input_t", size="4"),
    output=Tensor(name="y", kind=Kind.ARRAY, type="result_t", size="N_OUT"),
    n_sizes=0,
)


def body(*lines):
    return "\n".join(["#include <vector>", "void net(input_t x[4], result_t y[2]) {", *lines, "}"])


def test_each_layer_is_kept_behind_its_statement():
    source = body(
        "    a_t a[3];",
        "    #pragma HLS ARRAY_PARTITION variable=a complete dim=0",
        '    nnet::dense<input_t, a_t, config2>(x, a, w2, b2); // fc1 "quoted"',
        "    nnet::relu<a_t, result_t, config3>(a,",
        "                                       y); // relu1",
    )
    found = instrument(source, ARRAYS)
    assert found.left_out == []
    assert ' ::raw_ports::keep("fc1 \\"quoted\\"", a); // fc1 "quoted"' in found.text
    assert 'y); ::raw_ports::keep("relu1", y, N_OUT); // relu1' in found.text
    assert found.text.count("\n") == source.count("\n")


def test_streams_aliases_and_calls_without_a_name_are_understood():
    source = body(
        '    hls::stream<a_t> a("a");',
        "    hls::stream<b_t> b;",
        "    auto& c = b;",
        "    nnet::conv_2d_cl<input_t, a_t, config2>(x, a, w2, b2); // conv1",
        "    nnet::pooling2d_cl<a_t, b_t, config3>(a, b);",
        "    nnet::dense<b_t, result_t, config4>(c, y, w4, b4); // fc2",
    )
    found = instrument(source, ARRAYS)
    assert found.left_out == []
    assert 'keep("conv1", a)' in found.text
    assert 'keep("b", b)' in found.text
    assert 'keep("fc2", y, N_OUT)' in found.text


def test_copies_of_a_stream_are_no_layer():
    source = body(
        "    hls::stream<a_t> a; hls::stream<a_t> b; hls::stream<a_t> c;",
        "    nnet::relu<input_t, a_t, config2>(x, a); // relu1",
        "    nnet::clone_stream<a_t, a_t, 3>(a, b, c); // clone_relu1",
        "    nnet::add<a_t, a_t, result_t, config4>(b, c, y); // add1",
    )
    found = instrument(source, ARRAYS)
    assert found.left_out == []
    assert found.text.count("keep(") == 2


def test_calls_that_fill_no_tensor_are_left_alone():
    source = body(
        "    if (!loaded) {",
        '        nnet::load_weights_from_txt<w_t, 12>(w2, "w2.txt");',
        "        loaded = true;",
        "    }",
        "    nnet::dense<input_t, result_t, config2>(x, y, w2, b2); // fc1",
        '    nnet::save_layer_output<result_t>(y, "fc1", 2);',
    )
    found = instrument(source, ARRAYS)
    assert found.left_out == []
    assert found.text.count("keep(") == 1


@pytest.mark.parametrize(
    ("lines", "left_out"),
    [
        (
            ["a_t a[3]; a_t b[3];", "nnet::split<a_t, a_t, 3>(x, a, b); // split1"],
            ("split1", "fills a, b"),
        ),
        (["nnet::dense<a_t>(x, z, w2); // fc1"], ("fc1", "fills no tensor that is known")),
        (
            ["a_t a[3];", "{ nnet::dense<a_t>(x, a, w2); } // fc1"],
            ("a", "computed inside a block"),
        ),
        (
            ["a_t a[3];", "for (int i = 0; i < 3; i++) a[i] = x[i]; // scale1"],
            ("scale1", "not a call: for (int i = 0; i < 3; i++) a[i] = x[i]"),
        ),
        (["a_t a[3];"], ("a", "no layer is seen to fill it")),
        (
            ["a_t a[3];", "nnet::dense<a_t>(x, a, w2); // last"],
            ("last", "a second layer of this name"),
        ),
    ],
)
def test_what_is_not_understood_is_left_out_with_the_reason(lines, left_out):
    found = instrument(body(*lines, "nnet::dense<b_t>(x, y, w3); // last"), ARRAYS)
    assert found.left_out == [left_out]
    assert found.text.count("keep(") == 1


def test_a_source_without_the_top_function_is_refused():
    with pytest.raises(InputError, match=r"net.cpp does not define 'void net\(...\)'"):
        instrument("void other() {}", ARRAYS)
