"""Made-up trigger physics for the report's tests."""

from trigforge.core.trigger import (
    Curve,
    Loss,
    Measurement,
    SignalPhysics,
    Streamed,
    TriggerPhysics,
    TriggerResult,
)

ROC = Curve(x=(0, 0.01, 1), y=(0.2, 0.5, 1), low=(0.1, 0.4, 1), high=(0.3, 0.6, 1))
RATES = Curve(x=(100, 200, 231), y=(900, 12, 0), low=(880, 9, 0), high=(920, 15, 1.8))


def near(value: float, below: float = 0.01, above: float = 0.02) -> Measurement:
    return Measurement(value=value, low=value - below, high=value + above)


def result(implementation: str, threshold: float, efficiency: float) -> TriggerResult:
    return TriggerResult(
        implementation=implementation,
        auc=near(0.9),
        threshold=threshold,
        rate_khz=Measurement(value=9.5, low=7, high=13),
        efficiency=near(efficiency),
        roc=ROC,
        rates=RATES,
        turn_on=None,
    )


def loss(implementation: str, lost: float) -> Loss:
    return Loss(
        implementation=implementation,
        reference="float network",
        efficiency=near(lost),
        auc=near(0.002, 0.001, 0.001),
    )


STREAMED = Streamed(
    n_events=2_000_000,
    n_chunks=400,
    threshold=213,
    rate_khz=Measurement(value=9.9, low=9.7, high=10.2),
    efficiency=near(0.41),
    rates=RATES,
)
PHYSICS = TriggerPhysics(
    background="zero_bias",
    n_background=60_000,
    background_rate_khz=28_608.8,
    working_rate_khz=10,
    variable="generated_ht_gev",
    signals=(
        SignalPhysics(
            name="top_pair",
            n_events=3000,
            discriminant="output",
            results=(
                result("float network", 3.25, 0.45),
                result("quantised network", 208, 0.43),
                result("firmware", 208, 0.43),
            ),
            losses=(loss("quantised network", 0.02), loss("firmware", 0.02)),
            streamed=STREAMED,
        ),
        SignalPhysics(
            name="leptoquark_pair",
            n_events=2900,
            discriminant="output",
            results=(result("float network", 3.25, 0.8),),
            losses=(),
            streamed=None,
        ),
    ),
)
