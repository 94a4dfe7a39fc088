import dataclasses
import json
from pathlib import Path
from unittest import mock

import pytest
import typer
from typer.testing import CliRunner

from trigforge.cli import projects
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Agreement, Difference, HlsProject, Port
from trigforge.core.store import Store
from trigforge.pipeline import foreign

INPUT = Port(name="inputs", shape=(4,), format=parse_format("ap_fixed<8,4>"))
OUTPUT = Port(name="layer6_out", shape=(2,), format=parse_format("ap_fixed<16,6>"))
AGREED = Agreement(
    reference="expected", candidate="C simulation", n_events=3, n_values=6, n_different=0
)
DIFFERENT = dataclasses.replace(
    AGREED,
    n_different=1,
    n_different_events=1,
    first_difference=Difference(
        event=2, origin="inputs[2]", output=1, output_name="output_1", reference=5, candidate=6
    ),
)
FOUND = foreign.ForeignRun(
    project=HlsProject(
        name="jets_v2",
        folder=Path("delivered"),
        backend="Vitis",
        io_type="io_stream",
        input=INPUT,
        output=OUTPUT,
    ),
    n_events=3,
    agreement=None,
    layers=(dataclasses.replace(OUTPUT, name="fc1"),),
    left_out=(("clone1", "fills a, b"),),
    warnings=("simulated are the weights of b5.txt",),
)


@pytest.fixture
def says(monkeypatch, tmp_path):
    """Run the command's body with what the pipeline found; return what it printed."""

    def run(found, *, json=False, **options):
        files = {"inputs": Path("inputs.npy"), **options}
        given = projects.Options(**files)
        store = Store(tmp_path)
        called = mock.create_autospec(foreign.simulate, return_value=found)
        monkeypatch.setattr(foreign, "simulate", called)
        app = typer.Typer()

        @app.command()
        def command() -> None:
            projects.simulate(Path("delivered"), given, store, json=json, quiet=True)

        result = CliRunner().invoke(app)
        request = foreign.Request(**files)
        called.assert_called_once_with(Path("delivered"), request, store, mock.ANY)
        return result

    return run


def test_ports_layers_and_warnings_are_printed(says):
    result = says(FOUND, out=Path("out.npy"), trace=Path("layers.npz"))
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "delivered: jets_v2, Vitis, io_stream",
        "input inputs: 4 elements of ap_fixed<8,4>",
        "output layer6_out: 2 elements of ap_fixed<16,6>",
        "layer fc1: 2 elements of ap_fixed<16,6>",
        "layer clone1 was not traced: fills a, b",
        "warning: simulated are the weights of b5.txt",
        "3 events simulated",
        "out.npy: raw outputs",
        "layers.npz: raw results of 1 layers",
    ]


def test_a_difference_is_shown_and_fails(says):
    result = says(dataclasses.replace(FOUND, agreement=DIFFERENT))
    assert result.exit_code == 1
    assert "first difference in event 2 (inputs[2]), output 1" in result.output
    assert "expected 5, C simulation 6" in result.output


def test_agreement_is_shown_and_passes(says):
    result = says(dataclasses.replace(FOUND, agreement=AGREED))
    assert result.exit_code == 0
    assert "C simulation" in result.output


@pytest.mark.parametrize(("agreement", "exit_code"), [(AGREED, 0), (DIFFERENT, 1), (None, 0)])
def test_the_record_is_printed_as_json(says, agreement, exit_code):
    result = says(dataclasses.replace(FOUND, agreement=agreement), json=True)
    assert result.exit_code == exit_code
    record = json.loads(result.output)
    assert record["n_events"] == 3
    assert record["project"]["name"] == "jets_v2"
    assert record["project"]["input"]["format"]["width"] == 8
    assert (record["agreement"] is None) == (agreement is None)


def test_a_project_needs_inputs_and_a_spec_takes_none(tmp_path):
    options = projects.Options(n_inputs=4)
    with pytest.raises(typer.BadParameter, match="delivered is a PROJECT: --inputs FILE says"):
        projects.simulate(Path("delivered"), options, Store(tmp_path), json=False, quiet=True)
    with pytest.raises(typer.BadParameter, match="--n-inputs goes with a PROJECT's folder; a.yaml"):
        options.refuse_with_a_spec(Path("a.yaml"))
    projects.Options().refuse_with_a_spec(Path("a.yaml"))
