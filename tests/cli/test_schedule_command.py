"""The command that shows what happens in which cycle, and the choice of implementation."""

import json
from typing import get_args
from unittest import mock

import pytest
from typer.testing import CliRunner

from trigforge import pipeline, rtl
from trigforge.cli.app import app
from trigforge.cli.options import Implementation
from trigforge.core import schedule
from trigforge.core.config import Hardware
from trigforge.core.errors import SpecError
from trigforge.core.spec_file import read_spec, with_implementation
from trigforge.report import schedule_plot

TIMEMUX = {"hardware": {"implementation": "timemux"}}
MUST_BE = "hardware.implementation must be timemux (or --implementation timemux)"


class Reached(Exception):  # noqa: N818 - it says how far a command came
    """Ends a command where its work would begin."""


def says(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_option_offers_what_a_spec_may_say():
    offered = [choice.value for choice in Implementation]
    assert offered == list(get_args(Hardware.model_fields["implementation"].annotation))


@pytest.mark.parametrize(
    ("command", "module", "name"),
    [
        ("run", pipeline, "run"),
        ("rtl", pipeline.firmware, "write_rtl"),
        ("cosim", pipeline.firmware, "check_rtl"),
        ("synth", pipeline.firmware, "synthesise_rtl"),
        ("budget", pipeline.firmware, "judge"),
        ("schedule", pipeline.firmware, "read_schedule"),
    ],
)
@pytest.mark.parametrize("choice", Implementation)
def test_every_command_about_firmware_takes_the_implementation(
    spec_file, command, module, name, choice
):
    def asked(*arguments):
        with mock.patch.object(module, name, autospec=True, side_effect=Reached) as called:
            ended = says(command, spec_file, "--quiet", *arguments)
        assert isinstance(ended.exception, Reached)
        return called.call_args.args[0]

    own = read_spec(spec_file)
    assert own.hardware.implementation == "hls"
    assert asked() == own
    spec = asked("--implementation", choice.value)
    assert spec.hardware.implementation == choice.value
    hardware = own.hardware.model_copy(update={"implementation": choice.value})
    assert spec == own.model_copy(update={"hardware": hardware})


def test_an_implementation_that_nobody_builds_is_wrong_usage(spec_file):
    ended = says("schedule", spec_file, "--implementation", "handwritten")
    assert ended.exit_code == 2
    assert "'hls', 'da', 'timemux'" in ended.output


@pytest.mark.parametrize("implementation", ["hls", "da"])
def test_what_has_no_schedule_is_refused_before_any_work(spec_file, implementation, trigforge_says):
    with mock.patch.object(pipeline.firmware, "prepare", autospec=True, side_effect=Reached):
        code, out, err = trigforge_says("schedule", spec_file, "--implementation", implementation)
    assert (code, out) == (2, "")
    assert (
        err == f"trigforge: tiny_jets: implementation {implementation} has no schedule: {MUST_BE}\n"
    )


def test_a_picture_that_cannot_be_drawn_is_refused_before_any_work(spec_file, trigforge_says):
    plot = ("--plot", "timing.jpg")
    with mock.patch.object(pipeline.firmware, "prepare", autospec=True, side_effect=Reached):
        code, _, err = trigforge_says("schedule", spec_file, "--implementation", "timemux", *plot)
    assert code == 2
    assert "a timing diagram is written as .svg, .pdf or .png, not timing.jpg" in err


@pytest.mark.pipeline
def test_a_schedule_is_shown_written_and_drawn(tiny_model, trigforge_says, tmp_path):
    model = tiny_model("jets_hlf", TIMEMUX)
    plot = tmp_path / "timing.svg"
    code, out, err = trigforge_says(*model.command("schedule", "--quiet", "--plot", plot))
    assert code == 0, err
    firmware = rtl.read(model.workspace.firmware / "tiny_jets_timemux")
    found = rtl.read_schedule(firmware)
    assert found.latency_cycles == firmware.latency_cycles
    assert f"its result after {found.latency_cycles} cycles" in out
    for layer in found.layers:
        assert f"│ {layer.name} " in out
    assert "│ all layers " in out
    assert out.splitlines()[-1] == f"{plot}: written"
    assert plot.read_text() == schedule_plot.figure_svg(found)
    assert (firmware.folder / "timing.svg").read_text() == plot.read_text()
    page = (firmware.folder / "timing.md").read_text()
    assert page.startswith("# tiny_jets: what happens in which cycle\n")
    assert "`timing.md`" in (firmware.folder / "README.md").read_text()
    assert firmware.modified == ()
    png = tmp_path / "timing.png"
    code, out, err = trigforge_says(*model.command("schedule", "--quiet", "--json", "--plot", png))
    assert (code, err) == (0, f"{png}: written\n")
    assert schedule.from_json(out) == found
    assert out == schedule.to_json(found)
    assert png.read_bytes().startswith(b"\x89PNG")


@pytest.mark.pipeline
def test_a_choice_left_open_that_fell_on_distributed_arithmetic_says_so(tiny_model, trigforge_says):
    model = tiny_model("jets_hlf", {"hardware": {"implementation": "auto"}})
    ways = {"da": pipeline.writing.TITLES["da"], "timemux": pipeline.writing.TITLES["timemux"]}
    for kind, title in ways.items():
        chosen = (kind, f"implementation auto: {title}")
        with mock.patch.object(pipeline.writing, "_chosen", autospec=True, return_value=chosen):
            code, out, err = trigforge_says(*model.command("schedule", "--quiet", "--json"))
        if kind == "timemux":
            assert code == 0
            assert schedule.from_json(out).name == "tiny_jets"
        else:
            assert code == 2
            assert MUST_BE in err
            assert f"implementation auto: {title}" in err


@pytest.mark.toolchain
@pytest.mark.pipeline
def test_a_report_holds_the_schedule_and_what_follows_from_it(tiny_model, trigforge_says):
    model = tiny_model("jets_hlf")
    choice = ("--implementation", "timemux")
    code, out, err = trigforge_says(*model.command("run", "--quiet", *choice))
    assert code == 0, out + err
    found = rtl.read_schedule(rtl.read(model.workspace.firmware / "tiny_jets_timemux"))
    report = model.report
    written = json.loads(schedule.to_json(found))
    for key in (
        "interval_cycles",
        "latency_cycles",
        "latency_bound_cycles",
        "buffer_bits",
        "n_dsp",
    ):
        assert report["schedule"][key] == written[key]
    assert report["latency"]["cycles"] == found.latency_cycles
    for entry, layer in zip(report["schedule"]["layers"], written["layers"], strict=True):
        assert entry.pop("efficiency") == pytest.approx(layer.pop("efficiency"), abs=1e-4)
        assert entry == layer


def test_a_spec_changed_into_nonsense_is_refused_like_one_that_is_read(spec_file):
    with pytest.raises(SpecError, match=r"here: 1 problem\(s\)\n  hardware\.implementation: "):
        with_implementation(read_spec(spec_file), "handwritten", where="here")
