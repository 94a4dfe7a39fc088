import pytest

from trigforge.core.fixed_point import parse_format
from trigforge.core.records import HlsProject, Port
from trigforge.csim import weights

SOURCE = """
    nnet::load_weights_from_txt<fc1_weight_t, 3>(w2, "w2.txt");
    // nnet::load_weights_from_txt<fc1_weight_t, 3>(w9, "w9.txt");
    nnet::load_exponent_weights_from_txt<fc2_weight_t, 2>(w5, "w5.txt");
"""
HEADER = "#ifndef __SYNTHESIS__\nw_t {0}[{1}];\n#else\nw_t {0}[{1}] = {{{2}}};\n#endif\n"


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "firmware/weights"
    folder.mkdir(parents=True)
    (tmp_path / "firmware/net.cpp").write_text(SOURCE)
    (folder / "w2.h").write_text(HEADER.format("w2", 3, "0.5, -0.25, 1e-3"))
    (folder / "w2.txt").write_text("0.50, -0.25, 0.001")
    (folder / "w5.h").write_text(HEADER.format("w5", 2, "{1, -3}, {-1, 2}"))
    (folder / "w5.txt").write_text("{1, -3}, {-1, 2}")
    port = Port(name="x", shape=(1,), format=parse_format("ap_fixed<8,4>"))
    return HlsProject(
        name="net",
        folder=tmp_path,
        backend="Vivado",
        io_type="io_parallel",
        input=port,
        output=port,
    )


def test_equal_files_are_not_spoken_of(project):
    assert weights.disagreements(project) == ()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("w2.txt", "0.5, 0.25, 0.1", "2 of 3 differ, the first at 1: 0.25 and -0.25"),
        ("w2.txt", "0.5, -0.25", "they are 2 and 3 numbers"),
        ("w5.txt", "{1, -3}, {1, 2}", "1 of 4 differ, the first at 2: 1 and -1"),
    ],
)
def test_different_values_are_named(project, name, text, message):
    (project.folder / "firmware/weights" / name).write_text(text)
    (found,) = weights.disagreements(project)
    stem = name.removesuffix(".txt")
    assert found == (
        f"simulated are the weights of {stem}.txt, synthesised those of {stem}.h: {message}"
    )


@pytest.mark.parametrize(
    ("name", "content"), [("w2.h", "w_t w2[3];"), ("w2.h", None), ("w2.txt", None)]
)
def test_weights_that_stand_in_one_file_alone_cannot_differ(project, name, content):
    path = project.folder / "firmware/weights" / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    assert weights.disagreements(project) == ()


def test_weights_that_are_never_loaded_do_not_count(project):
    folder = project.folder / "firmware/weights"
    (folder / "w9.h").write_text(HEADER.format("w9", 1, "0.5"))
    (folder / "w9.txt").write_text("0.25")
    assert weights.disagreements(project) == ()
