"""The command only asks the pipeline, and shows what it says."""

import json
from pathlib import Path
from unittest import mock

import pytest
from typer.testing import CliRunner

from trigforge.cli.app import app
from trigforge.core.spec_file import read_spec
from trigforge.core.trigger import Measurement
from trigforge.emulation import (
    CHUNK_EVENTS,
    Accepted,
    AcceptedAt,
    Emulated,
    Missing,
    Request,
    Summary,
)
from trigforge.pipeline import emulation
from trigforge.pipeline.emulation import EmulationRequest

SHARE = Measurement(value=0.25, low=0.2, high=0.35)
NONE = Measurement(value=0.0, low=0.0, high=0.0184)


def emulated(*missing, n_found=0):
    accepted = Accepted(
        signals=("top", "w"),
        discriminant="output",
        background_rate_khz=28_000,
        working_rate_khz=10,
        n_events=1_000_000,
        n_lots=3,
        working=AcceptedAt(threshold=17, share=SHARE, rate_khz=SHARE),
        wanted=(AcceptedAt(threshold=900, share=NONE, rate_khz=NONE),),
    )
    summary = Summary(
        name="tiny",
        graph="0" * 64,
        versions={"trigforge": "1"},
        output_format="ap_fixed<8,4>",
        output_names=("output",),
        n_events=1_000_000,
        n_chunks=4,
        missing=missing,
        accepted=(accepted,),
    )
    file = Path("out/emulated.json")
    return Emulated(file=file, n_found=n_found, summary=summary, chunks=(), outputs=())


@pytest.fixture
def emulating():
    with mock.patch.object(
        emulation, "emulate_files", autospec=True, return_value=emulated()
    ) as called:
        yield called


def says(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_files_are_scored_by_workers_started_here(spec_file, emulating):
    result = says("emulate", spec_file, "--events", "x/*.parquet", "--out", "out", "--quiet")
    assert result.exit_code == 0
    assert "out/emulated.json: 1,000,000 events in 4 chunks\n" in result.output
    spec, workspace, request, _ = emulating.call_args.args
    assert (spec, workspace.spec_file) == (read_spec(spec_file), spec_file)
    assert request == EmulationRequest(
        events=Request(patterns=("x/*.parquet",), folder=Path("out"), chunk_events=CHUNK_EVENTS)
    )


def test_every_option_reaches_the_pipeline(spec_file, emulating):
    options = (
        *("--events", "a.parquet", "--events", "b.parquet", "--out", "out", "--no-scores"),
        *("--scheduler", "tcp://host:8786", "--chunk-events", 1000, "--columns", "a,b"),
        *("--keep", "run", "--keep", "event", "--threshold", -3, "--threshold", 900, "--quiet"),
    )
    assert says("emulate", spec_file, *options).exit_code == 0
    assert emulating.call_args.args[2] == EmulationRequest(
        events=Request(
            patterns=("a.parquet", "b.parquet"),
            folder=Path("out"),
            columns=("a", "b"),
            keep=("run", "event"),
            chunk_events=1000,
            scores=False,
        ),
        thresholds=(-3, 900),
        scheduler="tcp://host:8786",
    )


def test_shares_and_rates_are_shown(spec_file, emulating):
    result = says("emulate", spec_file, "--events", "a.parquet", "--out", "out", "--quiet")
    assert "tiny: accepted as top, w (output)" in result.output
    assert "0.25 +0.1 -0.05" in result.output
    assert "below 0.0184" in result.output
    assert "1,000,000 events of 3 files as background, 28,000 kHz of it" in result.output


def test_what_was_there_before_and_what_is_missing_is_told(spec_file, emulating):
    emulating.return_value = emulated(
        Missing(input="a.parquet", row_groups=(3, 3), reason="row 7 is nan"),
        Missing(input="b.parquet", row_groups=(0, 9), reason="changed"),
        Missing(input="c.parquet", row_groups=None, reason="no file"),
        n_found=2,
    )
    result = says("emulate", spec_file, "--events", "a.parquet", "--out", "out", "--quiet")
    assert result.exit_code == 2
    for line in (
        "1,000,000 events in 4 chunks, 2 of them there before",
        "missing: a.parquet, row group 3: row 7 is nan",
        "missing: b.parquet, row groups 0 to 9: changed",
        "missing: c.parquet: no file",
    ):
        assert line in result.output


def test_json_is_the_summary(spec_file, emulating):
    emulating.return_value = emulated(Missing(input="c", row_groups=None, reason="no file"))
    result = says("emulate", spec_file, "--events", "a.pq", "--out", "o", "--json", "--quiet")
    assert result.exit_code == 2
    content = json.loads(result.output)
    assert content["missing"] == [{"input": "c", "row_groups": None, "reason": "no file"}]
    assert content["accepted"][0]["working"]["share"]["value"] == 0.25


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--events", "a.npy", "--workers", 2), "--workers goes with Parquet files, not with"),
        (("--events", "a.npy", "--no-scores"), "--no-scores goes with Parquet files"),
        (("--events", "a.npy", "--keep", "run"), "--keep goes with Parquet files"),
        (("--events", "a.npy", "--threshold", 3), "--threshold goes with Parquet files"),
        (("--events", "a.parquet", "--threads", 2), "--threads goes with a .npy"),
        (("--events", "a.parquet", "--scheduler", "x", "--workers", 2), "either --scheduler or"),
    ],
)
def test_options_that_do_not_go_together_are_refused(spec_file, emulating, options, message):
    result = says("emulate", spec_file, "--out", "out", *options)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    emulating.assert_not_called()
