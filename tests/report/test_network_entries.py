"""The parts of the report on network, formats and target."""

import dataclasses

import pytest
from planted_health import planted, planted_inputs

from trigforge.core.errors import SpecError
from trigforge.core.sketch import Sketch, SketchNode
from trigforge.evaluation import measure
from trigforge.report import document, health, network_entries
from trigforge.report.network_entries import HealthEntry


@pytest.fixture(scope="module")
def tensors():
    return measure(planted(), planted_inputs())


def test_the_health_of_a_tensor_is_the_same_after_it_was_written(tensors):
    entry = HealthEntry.model_validate_json(network_entries.health(tensors).model_dump_json())
    assert entry.n_events == 5
    assert tuple(tensor.record() for tensor in entry.tensors) == tensors


def test_what_is_to_be_said_of_a_tensor_is_written_beside_it(tensors):
    entry = network_entries.health(tensors)
    for written, tensor in zip(entry.tensors, tensors, strict=True):
        assert [remark.text for remark in written.remarks] == [
            remark.text for remark in health.remarks(tensor)
        ]
    severities = {remark.severity for tensor in entry.tensors for remark in tensor.remarks}
    assert severities == {"wrong", "limited", "spare"}


def test_what_nobody_looked_at_is_null(summary, spec):
    report = document.make(summary, spec)
    assert (report.network, report.health) == (None, None)


def test_a_network_is_written_node_by_node(summary, spec):
    node = SketchNode(
        name="hidden",
        kind="Dense",
        inputs=("image",),
        shape=(8,),
        format="fixed<8,3>",
        n_weights=72,
        n_zero_weights=30,
        n_multiplications=42,
        n_products=64,
    )
    report = document.make(dataclasses.replace(summary, network=Sketch(nodes=(node,))), spec)
    (entry,) = report.network.nodes
    assert entry.model_dump() == dataclasses.asdict(node)


def test_the_target_is_what_the_spec_says_and_the_part_holds(summary, spec):
    target = document.make(summary, spec).target
    assert (target.part, target.clock_mhz, target.latency_ns) == ("xcvu13p-flga2577-2-e", 320, 150)
    assert (target.lut_share, target.bram_share, target.interval_crossings) == (0.05, 0.05, 1)
    assert target.holds.model_dump() == {
        "lut": 1_728_000, "ff": 3_456_000, "dsp": 12_288, "bram_18k": 5376, "uram": 1280,
    }  # fmt: skip


def test_a_part_that_nobody_knows_has_no_target(spec):
    hardware = spec.hardware.model_copy(update={"part": "xc0"})
    with pytest.raises(SpecError, match="xc0"):
        network_entries.target(hardware, spec.budget)
