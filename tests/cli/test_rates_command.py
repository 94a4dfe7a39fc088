import json
from pathlib import Path
from unittest import mock

import pytest
from typer.testing import CliRunner

from trigforge.cli.app import app
from trigforge.core.trigger import CountedRates, Curve, Measurement, SignalRates, Streamed
from trigforge.pipeline import rates

RATE = Measurement(value=9.0, low=8.0, high=10.5)
COUNTED = CountedRates(
    name="tiny",
    file=Path("models/tiny/rates.json"),
    background="zero_bias",
    background_rate_khz=28_000,
    working_rate_khz=10,
    signals=(
        SignalRates(
            name="top_pair",
            discriminant="output",
            counted=Streamed(
                n_events=5000,
                n_chunks=1,
                threshold=17,
                rate_khz=RATE,
                efficiency=None,
                rates=Curve(x=(17,), y=(9,), low=(8,), high=(10.5,)),
            ),
        ),
    ),
)


@pytest.fixture
def counting():
    with mock.patch.object(rates, "count", autospec=True, return_value=COUNTED) as called:
        yield called


def says(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_rates_are_printed_as_a_table(spec_file, counting):
    result = says("rates", spec_file, "--chunks", 3, "--quiet")
    assert result.exit_code == 0
    assert "9 +1.5 -1" in result.output
    assert "working point" in result.output
    assert counting.call_args.args[2] == rates.RatesRequest(n_chunks=3)


def test_rates_are_printed_as_json(spec_file, counting):
    result = says("rates", spec_file, "--json", "--quiet", "--events", "a.npy", "--events", "b.npy")
    content = json.loads(result.output)
    assert content["signals"][0]["counted"]["rate_khz"] == {"value": 9.0, "low": 8.0, "high": 10.5}
    assert content["file"] == "models/tiny/rates.json"
    assert counting.call_args.args[2].files == (Path("a.npy"), Path("b.npy"))


def test_files_and_chunks_are_not_counted_together(spec_file, counting):
    result = says("rates", spec_file, "--chunks", 3, "--events", "a.npy")
    assert result.exit_code == 2
    assert "give either --events or --chunks" in result.output
    counting.assert_not_called()
