"""The picture of tensors against their formats: valid, the same each time, and complete."""

import dataclasses
import io
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image
from planted_health import planted, planted_inputs

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import parse_format
from trigforge.evaluation import measure
from trigforge.report import health_plot, palette

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def tensors():
    return measure(planted(), planted_inputs())


def words(tensors) -> list[str]:
    """Return the texts of a picture."""
    svg = health_plot.draw(tensors, title="planted", picture_format="svg")
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_png_is_a_picture_with_all_colours(tensors):
    png = health_plot.draw(tensors, title="planted", picture_format="png")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    pixels = image.imread(io.BytesIO(png), format="png")
    red, green, blue = np.round(pixels[..., :3] * 255).astype(int).reshape(-1, 3).T
    seen = set(np.unique(red << 16 | green << 8 | blue).tolist())
    colours = (palette.BLUE, palette.ORANGE, palette.TRACK, palette.VERMILLION, palette.PURPLE)
    assert {int(colour[1:], 16) for colour in colours} <= seen


def test_an_svg_names_every_tensor_its_format_and_its_dead(tensors):
    texts = words(tensors)
    for tensor in tensors:
        assert tensor.name in texts
    assert any(text.endswith("% zero, 1/3 dead") for text in texts)
    assert sum(text.startswith("fixed<5,5>") for text in texts) == 5
    assert "planted" in texts


def test_only_what_there_is_is_explained(tensors):
    marks = {"wraps", "saturates", "sum wraps", "sum saturates"}
    assert marks <= set(words(tensors))
    sound = words(tensors[:1])
    assert marks.isdisjoint(sound)
    assert "inputs, results" in sound
    assert "weights, biases" not in sound


@pytest.mark.parametrize("picture_format", health_plot.FORMATS)
def test_equal_tensors_give_equal_bytes(tensors, picture_format):
    other = dataclasses.replace(tensors[0], magnitudes=(1.0, 1.0, 2.0, 3.0, 4.0))
    first, second, changed = (
        health_plot.draw(drawn, title="planted", picture_format=picture_format)
        for drawn in (tensors[:3], tensors[:3], (other, *tensors[1:3]))
    )
    assert first == second
    assert changed != first


def test_names_are_text_and_no_formula(tensors):
    strange = dataclasses.replace(tensors[0], name="a$b_{c$ <&>")
    assert "a$b_{c$ <&>" in words((strange,))


def test_a_tensor_of_zeros_and_one_without_values_are_drawn(tensors):
    zeros = dataclasses.replace(tensors[0], magnitudes=(), name="z")
    unseen = dataclasses.replace(zeros, n_values=0, name="u")
    texts = words((zeros, unseen))
    assert "all zero" in texts
    assert "no values" in texts


def test_formats_of_any_size_fit(tensors):
    narrow, wide = parse_format("fixed<1,1>"), parse_format("ufixed<64,300>")
    drawn = [dataclasses.replace(tensors[0], format=fmt, name=str(fmt)) for fmt in (narrow, wide)]
    assert {str(narrow), str(wide)} <= set(words(drawn))


def test_the_name_of_the_file_decides_the_format():
    assert health_plot.format_of(Path("a/health.PNG")) == "png"
    assert health_plot.format_of(Path("health.svg")) == "svg"
    with pytest.raises(InputError, match="written as .png or .svg, not health.pdf"):
        health_plot.format_of(Path("health.pdf"))


def test_what_cannot_be_drawn_is_refused(tensors):
    with pytest.raises(InputError, match="a picture is one of png, svg, not pdf"):
        health_plot.draw(tensors, title="planted", picture_format="pdf")
    with pytest.raises(InputError, match="planted: there is no tensor to draw"):
        health_plot.draw((), title="planted", picture_format="png")
