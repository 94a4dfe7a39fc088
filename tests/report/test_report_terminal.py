import dataclasses
import io

from rich.console import Console

from trigforge.core.records import Outcome
from trigforge.report import terminal


def text_of(renderable) -> str:
    out = io.StringIO()
    Console(file=out, width=110, markup=False, soft_wrap=True).print(renderable)
    return out.getvalue()


def row(text: str, first: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.strip("│ ").startswith(first)]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_run_shows_physics_agreement_verdict_and_where_things_are(summary):
    text = text_of(terminal.summarise(summary))
    assert "tiny_jets: 5000 held-out events (trained on 15000)" in text
    assert "models/[tiny]/sample.npz, part of 200000 events" in text
    assert row(text, "accuracy") == ["accuracy", "0.7337", "0.7302", "+0.0035"]
    assert row(text, "AUC top") == ["AUC top", "0.9000", "0.9000", "+0.0000"]
    assert row(text, "1/background at 50% w")[1:3] == ["31.6", "29.5"]
    assert row(text, "QKeras") == [
        "QKeras, exact",
        "C simulation, io_parallel",
        "5533",
        "27665",
        "0",
    ]
    assert row(text, "bit-exact") == ["bit-exact", "0 differ", "0", "yes"]
    assert "project: hls_projects/[tiny]_jets\n" in text
    assert f"report:  {summary.report}\n" in text
    assert f"page:    {summary.report.with_name('report.html')}\n" in text
    assert text.endswith("tiny_jets: all checks met\n")
    assert "warning" not in text


def test_a_failed_run_names_event_origin_output_and_the_modified_file(failed):
    text = text_of(terminal.summarise(failed))
    assert (
        "first difference in event 17 (held_out[17]), output 1 (top): QKeras, exact -205, "
        "C simulation, io_parallel -201; 31 of 5533 events differ\n"
    ) in text
    assert "warning: hls_projects/[tiny]_jets: changed: firmware/weights/w2.h\n" in text
    assert row(text, "bit-exact")[-1] == "NO"
    assert text.endswith("tiny_jets: FAILED: bit-exact\n")


def test_a_comparison_of_nothing_says_so(summary):
    nothing = dataclasses.replace(summary.agreements[0], n_events=0, n_values=0)
    assert terminal.describe(nothing) == "C simulation, io_parallel: nothing was compared"
    assert "nothing was compared" in text_of(terminal.agreements_table((nothing,)))


def test_one_signal_class_has_no_mean(summary):
    binary = dataclasses.replace(
        summary,
        float_metrics=dataclasses.replace(
            summary.float_metrics, classes=summary.float_metrics.classes[1:]
        ),
        quantised_metrics=dataclasses.replace(
            summary.quantised_metrics, classes=summary.quantised_metrics.classes[1:]
        ),
    )
    assert "mean AUC" in text_of(terminal.summarise(summary))
    assert "mean AUC" not in text_of(terminal.summarise(binary))


def test_firmware_comes_with_its_budget(with_firmware):
    text = text_of(terminal.summarise(with_firmware))
    assert row(text, "LUT") == ["LUT", "17,280 LUT", "86,400 LUT", "yes"]
    assert row(text, "latency") == ["latency", "48 cycles", "40 cycles", "NO"]
    assert "slowest path: 2.50 ns (cells alone; Yosys 0.70)" in text
    assert "lut: 17,280, outside the estimate\n" in text
    assert "firmware: firmware/tiny_jets\n" in text
    assert text.endswith("tiny_jets: FAILED: latency\n")


def test_resources_name_who_counted_them_and_when(with_firmware):
    text = text_of(terminal.resources_table(with_firmware.resources, None))
    assert "xcvu13p-flga2577-2-e: logic synthesis, Yosys 0.70" in text
    assert row(text, "17,280") == ["17,280", "5,000", "0", "0", "0", "900"]


def test_a_scenario_that_failed_says_where():
    good = Outcome(
        name="gaps in valid",
        simulator="Verilator 5.048",
        n_events=100,
        n_values=500,
        n_different=0,
        first_difference=None,
        latency_cycles=(9, 9),
        n_cycles=3000,
        seconds=0.01,
        fault=None,
    )
    bad = dataclasses.replace(good, name="full rate", fault="cycle 12: out_valid", n_different=3)
    text = text_of(terminal.outcomes_table([good, bad]))
    assert row(text, "gaps") == ["gaps in valid", "100", "9 cycles", "300,000", "as expected"]
    assert row(text, "full rate")[-1] == "cycle 12: out_valid"
