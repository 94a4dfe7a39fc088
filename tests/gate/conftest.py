import dataclasses
from pathlib import Path

import pytest

from trigforge.core.costs import Estimate, Latency, Resources, Source
from trigforge.core.records import Check, ClassMetrics, Metrics, RunSummary

PART = "xcvu13p-flga2577-2-e"


@pytest.fixture
def summary() -> RunSummary:
    """A run of a spec that asks for RTL; every check is met."""
    classes = [
        ClassMetrics(name=name, auc=auc, signal_efficiency=0.5, background_rejection=30.0)
        for name, auc in (("w", 0.9), ("top", 0.95))
    ]
    metrics = Metrics(n_events=5000, accuracy=0.73, classes=tuple(classes))
    return RunSummary(
        name="jets",
        n_train=15000,
        n_test=5000,
        sample_origin="models/jets/sample.npz",
        float_metrics=metrics,
        quantised_metrics=metrics,
        agreements=(),
        checks=(Check(name="bit-exact: RTL", used="0 differ", allowed="0", met=True),),
        projects=(),
        stages=(),
        provenance=(("sample_digest", "ff531058c99b0000"),),
        budget=(Check(name="LUT", used="20,000 LUT", allowed="86,400 LUT", met=True),),
        latency=Latency(
            cycles=11,
            interval_cycles=2,
            clock_mhz=320,
            source=Source.MEASURED,
            tool="Verilator 5.048",
        ),
        resources=Resources(
            part=PART,
            lut=20_000,
            ff=10_000,
            dsp=20,
            bram_18k=40,
            uram=0,
            source=Source.MEASURED,
            tool="Yosys 0.70",
            stage="logic synthesis, Yosys",
        ),
    )


@pytest.fixture
def estimated(summary) -> RunSummary:
    """A run of imported events without labels, before any synthesis."""
    ranges = [
        Estimate(resource=name, low=0.0, likely=likely, high=2 * likely, method="effective bits")
        for name, likely in (("lut", 1234.56), ("ff", 600.0), ("carry", 70.0))
    ]
    return dataclasses.replace(
        summary,
        float_metrics=None,
        quantised_metrics=None,
        latency=None,
        resources=None,
        estimates=tuple(ranges),
        warnings=("unknown: latency: neither simulated nor reported", "advice: fewer stages"),
    )


@pytest.fixture
def spec_path() -> Path:
    return Path("models/jets.yaml")
