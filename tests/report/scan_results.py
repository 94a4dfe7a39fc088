"""Results of scans as the report sees them, made up."""

from __future__ import annotations

from trigforge.core.scanning import ScanResult, Trial, TrialState


def trial(number: int, accuracy: float, ebops: float, **changes) -> Trial:
    return Trial(
        number=number,
        name=f"tagger_{number}",
        state=TrialState.DONE,
        parameters={"weights": f"fixed<{3 + number},1>", "sparsity": 0.1 * number},
        figures={"accuracy": accuracy, "ebops": ebops, "lut": 0.8 * ebops},
        seconds=12.5,
        worker="tcp://127.0.0.1:1",
        **{"measured": {}, **changes},
    )


def failed(number: int, error: str) -> Trial:
    return Trial(
        number=number,
        name=f"tagger_{number}",
        state=TrialState.FAILED,
        parameters={"weights": "fixed<1,1>", "sparsity": 0.0},
        figures={},
        measured={},
        seconds=0.5,
        worker="",
        error=error,
    )


MEASURED = {"lut": 9100.0, "ff": 5000.0, "dsp": 0.0, "bram_18k": 0.0}
TRIALS = (
    trial(0, 0.728, 37000),
    trial(1, 0.726, 14000, on_front=True, measured=MEASURED),
    trial(2, 0.70, 6000, on_front=True),
    failed(3, "<b>no</b> such & format"),
    trial(4, 0.73, 39000, on_front=True),
)


def result(**changes) -> ScanResult:
    known = {
        "name": "tagger_scan",
        "base_name": "tagger",
        "objectives": ("accuracy", "ebops"),
        "base": {"accuracy": 0.729, "ebops": 37000.0},
        "base_measured": {"lut": 23000.0, "ff": 10000.0, "dsp": 0.0, "bram_18k": 0.0},
        "trials": TRIALS,
        "best": (1, 4, 2),
        "largest_loss": 0.005,
        "n_wanted": 5,
        "n_lost": 1,
        "provenance": (("trigforge", "0.1.0"), ("seed", "5")),
    }
    return ScanResult(**{**known, **changes})
