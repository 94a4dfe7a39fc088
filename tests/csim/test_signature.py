import pytest

from trigforge.core.errors import InputError
from trigforge.csim import signature
from trigforge.csim.signature import Kind, Tensor

ARRAYS = "input_t x[N_INPUT_1_1*N_INPUT_2_1], result_t y[N_LAYER_8]"


@pytest.fixture
def project(tmp_path):
    """Write a project of headers alone."""

    def write(parameters=ARRAYS, before="", name="net"):
        firmware = tmp_path / "firmware"
        firmware.mkdir(exist_ok=True)
        text = f"#ifndef A\n#define A /* void net(int) */\n{before}void {name}(\n{parameters}\n);\n"
        (firmware / f"{name}.h").write_text(text)
        (firmware / f"{name}.cpp").write_text("")
        return tmp_path

    return write


def test_arrays_keep_the_expression_of_their_size(project):
    top = signature.read(project())
    assert top.input == Tensor(
        name="x", kind=Kind.ARRAY, type="input_t", size="N_INPUT_1_1*N_INPUT_2_1"
    )
    assert top.output == Tensor(name="y", kind=Kind.ARRAY, type="result_t", size="N_LAYER_8")
    assert (top.name, top.namespace, top.n_sizes, top.io_type) == ("net", "", 0, "io_parallel")


@pytest.mark.parametrize(
    ("parameters", "types"),
    [
        ("hls::stream<input_t> &x, hls::stream<result_t> &y", ("input_t", "result_t")),
        (
            "hls::stream< nnet::array<ap_fixed<8,4>, 4> > & x, // in\nstream<result_t>& y /* , */",
            ("nnet::array<ap_fixed<8,4>, 4>", "result_t"),
        ),
    ],
)
def test_streams_carry_packs(project, parameters, types):
    top = signature.read(project(parameters))
    assert (top.input.type, top.output.type) == types
    assert (top.input.kind, top.output.size, top.io_type) == (Kind.STREAM, "", "io_stream")


def test_references_by_which_old_projects_return_sizes_are_counted(project):
    sizes = "unsigned short &const_size_in_1,\nunsigned short &const_size_out_1"
    assert signature.read(project(f"{ARRAYS}, {sizes}")).n_sizes == 2


def test_types_and_sizes_may_hold_brackets_and_a_constant(project):
    top = signature.read(project("const ap_fixed<8, 4> x[(N + 1) * 2], ap_int<6> y[2]"))
    assert (top.input.type, top.input.size) == ("ap_fixed<8, 4>", "(N + 1) * 2")
    assert (top.output.type, top.output.size) == ("ap_int<6>", "2")


def test_the_namespace_that_is_open_is_named(project):
    before = "namespace a { struct b { int c; }; }\nnamespace trigger {\nnamespace v2 {\n"
    assert signature.read(project(before=before)).namespace == "trigger::v2"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("input_t x[4], fc1_weight_t w2[12], result_t y[2]", r"takes weights from outside \(w2\)"),
        ("input_t x[4], input_t z[4], result_t y[2]", "has the ports x, z, y; one input and one"),
        ("input_t x[4]", "has the ports x; one input and one output"),
        ("", "has the ports none; one input and one output"),
        ("input_t x[4][4], result_t y[2]", r"into the parameter 'input_t x\[4\]\[4\]'"),
        ("hls::stream<input_t> x[4], result_t y[2]", "into the parameter 'hls::stream<input_t>"),
        ("input_t x, result_t y[2]", "into the parameter 'input_t x'; known are arrays"),
    ],
)
def test_other_ports_are_refused_by_name(project, parameters, message):
    with pytest.raises(InputError, match=message):
        signature.read(project(parameters))


def test_of_several_top_functions_the_projects_own_files_choose(project):
    project(name="net_axi")
    folder = project()
    with pytest.raises(InputError, match=r"several top functions \(net, net_axi\)"):
        signature.read(folder)
    (folder / "build_prj.tcl").write_text("  open_project -reset net_axi_prj\n")
    assert signature.read(folder).name == "net_axi"
    (folder / "project.tcl").write_text('variable project_name\nset project_name "net"\n')
    assert signature.read(folder).name == "net"


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no HLS project of hls4ml: it has no folder firmware"):
        signature.read(tmp_path)
    (tmp_path / "firmware").mkdir()
    (tmp_path / "firmware/defines.h").write_bytes(b"\xff\x00 void defines(int x);")
    with pytest.raises(InputError, match="declares no top function: NAME.h in firmware must"):
        signature.read(tmp_path)
