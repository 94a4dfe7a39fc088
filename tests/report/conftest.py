import dataclasses
from pathlib import Path

import pytest
import tiny_models

from trigforge.core.costs import Estimate, Latency, LogicDelay, Resources, Source
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.records import (
    Agreement,
    Check,
    ClassMetrics,
    Difference,
    Firmware,
    HlsProject,
    Metrics,
    Port,
    RunSummary,
    StageTime,
)

FORMAT = FixedPointFormat(True, 16, 6)


@pytest.fixture
def spec():
    return tiny_models.make_spec("jets_hlf")


def metrics(accuracy: float, rejection: float) -> Metrics:
    entries = [
        ClassMetrics(name=name, auc=0.9, signal_efficiency=0.5, background_rejection=rejection)
        for name in ("w", "top")
    ]
    return Metrics(n_events=5000, accuracy=accuracy, classes=tuple(entries))


@pytest.fixture
def summary(tmp_path) -> RunSummary:
    """A run in which everything agreed."""
    project = HlsProject(
        name="tiny_jets",
        folder=Path("hls_projects/[tiny]_jets"),
        backend="Vitis",
        io_type="io_parallel",
        input=Port(name="inputs", shape=(16,), format=FORMAT),
        output=Port(name="logits", shape=(5,), format=FORMAT),
    )
    agreement = Agreement(
        reference="QKeras, exact",
        candidate="C simulation, io_parallel",
        n_events=5533,
        n_values=27665,
        n_different=0,
    )
    return RunSummary(
        name="tiny_jets",
        n_train=15000,
        n_test=5000,
        sample_origin="models/[tiny]/sample.npz, part of 200000 events",
        float_metrics=metrics(0.7337, 31.6),
        quantised_metrics=metrics(0.7302, 29.5),
        agreements=(agreement,),
        checks=(Check(name="bit-exact", used="0 differ", allowed="0", met=True),),
        projects=(project,),
        stages=(StageTime(stage="samples", seconds=0.25, cached=True),),
        provenance=(("keras", "3.15.1"), ("sample_seed", "1804")),
        report=tmp_path / "reports" / "tiny_jets" / "report.json",
    )


@pytest.fixture
def failed(summary) -> RunSummary:
    """The same run with one weight changed by hand."""
    difference = Difference(
        event=17,
        origin="held_out[17]",
        output=1,
        output_name="top",
        reference=-205,
        candidate=-201,
    )
    agreement = dataclasses.replace(
        summary.agreements[0], n_different=40, n_different_events=31, first_difference=difference
    )
    return dataclasses.replace(
        summary,
        agreements=(agreement,),
        checks=(Check(name="bit-exact", used="40 differ", allowed="0", met=False),),
        projects=(dataclasses.replace(summary.projects[0], modified=("firmware/weights/w2.h",)),),
        warnings=("hls_projects/[tiny]_jets: changed: firmware/weights/w2.h",),
    )


@pytest.fixture
def with_firmware(summary) -> RunSummary:
    """The same run of a spec that asks for RTL, too slow for its budget."""
    part = "xcvu13p-flga2577-2-e"
    firmware = Firmware(
        name="tiny_jets",
        folder=Path("firmware/tiny_jets"),
        language="verilog",
        sources=("rtl/tiny_jets.v",),
        part=part,
        clock_mhz=320,
        input=summary.projects[0].input,
        output=summary.projects[0].output,
        latency_cycles=48,
        interval_cycles=1,
    )
    return dataclasses.replace(
        summary,
        budget=(
            Check(name="LUT", used="17,280 LUT", allowed="86,400 LUT", met=True),
            Check(name="latency", used="48 cycles", allowed="40 cycles", met=False),
        ),
        firmware=firmware,
        latency=Latency(
            cycles=48,
            interval_cycles=1,
            clock_mhz=320,
            source=Source.MEASURED,
            tool="Verilator 5.048",
        ),
        resources=Resources(
            part=part,
            lut=17_280,
            ff=5000,
            dsp=0,
            bram_18k=0,
            uram=0,
            carry=900,
            source=Source.MEASURED,
            tool="Yosys 0.70",
            stage="logic synthesis, Yosys",
        ),
        logic_delay=LogicDelay(ns=2.5, tool="Yosys 0.70", method="cells alone"),
        estimates=(Estimate(resource="lut", low=10, likely=20, high=30, method="effective bits"),),
        deviations=("lut: 17,280, outside the estimate",),
    )
