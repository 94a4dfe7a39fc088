"""Find where two referees part, and why: ``graph, inputs, Original -> Diagnosis``.

Every layer is looked at on its own: the original's layer is given the inputs that the graph's
node has, so all faults are seen at once and none hides behind an earlier one. What a node
gives is then computed anew with one limit after the other taken away (``diagnosis.changes``);
a cause is named only if taking it away makes the layer right.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.diagnosis import Cause, Diagnosis, Finding, LayerComparison, Mend
from trigforge.core.fixed_point import Overflow, Rounding, quantise
from trigforge.core.graph import Input, SumOfProducts
from trigforge.core.records import RawTensor
from trigforge.diagnosis import causes_inputs, causes_projects, causes_references
from trigforge.diagnosis.analysis import findings, unexplained
from trigforge.diagnosis.causes_projects import ProjectTrace
from trigforge.diagnosis.local import Local, values_of
from trigforge.diagnosis.matching import Pair, match
from trigforge.diagnosis.mending import configuration
from trigforge.diagnosis.tolerances import with_slack
from trigforge.evaluation import evaluate

__all__ = ["Cause", "Diagnosis", "Finding", "LayerComparison", "Mend", "ProjectTrace", "diagnose"]

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from trigforge.core.graph import FixedPointGraph
    from trigforge.core.traces import LayerTrace, Original, Values


def diagnose(
    graph: FixedPointGraph,
    inputs: RawTensor,
    original: Original,
    *,
    project: ProjectTrace | None = None,
    deviations: tuple[str, ...] = (),
) -> Diagnosis:
    """Compare a graph with the model it was made of, layer by layer, and name every cause.

    ``inputs`` are what the link carried of the events that the original was given; where
    they differ from the original's own input layer, that is a finding too. ``deviations``
    are known differences between hls4ml and the framework, named in what stays unknown.

    Raises:
        ComparisonError: if a node and its layer, or the project, differ in size or format.
        InputError: if the inputs are not the graph's.
    """
    names = tuple(node.name for node in graph)
    kept = evaluate(graph, inputs, keep=names).tensors
    tensors = {name: tensor.raw for name, tensor in kept}
    matching = match(graph, original)
    comparisons, found = _walked(graph, tensors, original, matching.pairs)
    found = [_with_notes(finding, deviations) for finding in found]
    found += causes_references.findings(graph, tensors, original, matching)
    if project is not None:
        found += causes_projects.findings(graph, tensors, project)

    def order(finding: Finding) -> tuple[int, bool, int, int]:
        where = names.index(finding.layer)
        return where, finding.hidden, finding.event, finding.element

    return Diagnosis(
        referees=(original.what, "graph"),
        n_events=len(inputs.raw),
        layers=tuple(comparisons),
        findings=tuple(sorted(found, key=order)),
        configuration=configuration(found),
        unmatched=matching.unmatched,
        unmatched_nodes=matching.unmatched_nodes,
    )


def _walked(
    graph: FixedPointGraph,
    tensors: Mapping[str, NDArray[np.int64]],
    original: Original,
    pairs: tuple[Pair, ...],
) -> tuple[list[LayerComparison], list[Finding]]:
    """Compare layer by layer, in order of computation; return the causes found."""
    layers = {layer.name: layer for layer in original.layers}
    comparisons: list[LayerComparison] = []
    found: list[Finding] = []
    for matched in pairs:
        node, fmt = graph[matched.node], graph[matched.node].format
        if isinstance(node, Input):
            inputs = RawTensor(format=fmt, raw=tensors[node.name])
            found += causes_inputs.findings(node, inputs, layers[matched.layers[0]])
            continue
        pair, local = _chosen(graph, tensors, original, matched)
        comparisons.append(_comparison(tensors, pair, layers[pair.layers[-1]], local))
        if pair.nodes:
            found += _with_hidden(local)
        elif not found:
            wrong = local.differing(values_of(tensors[node.name], fmt))
            found += [_not_alone(unexplained(local, wrong), matched)] if wrong.any() else []
    return comparisons, found


def _not_alone(finding: Finding, pair: Pair) -> Finding:
    """Say of a layer that was compared but not computed anew why its cause is not known."""
    evidence = (
        f"what layer {pair.layers[0]} reads has no node of its name in the graph, so the layer "
        "could be compared but not computed alone: the fault lies in it or in the unmatched "
        "layers before it"
    )
    return replace(finding, evidence=evidence)


def _with_notes(finding: Finding, deviations: tuple[str, ...]) -> Finding:
    """Add to what stays unknown in a layer where hls4ml is known to differ there."""
    notes = [note for note in deviations if f"layer {finding.layer} " in note]
    if finding.cause is not Cause.UNKNOWN or not notes:
        return finding
    return replace(finding, evidence=f"{finding.evidence}; known of it: {'; '.join(notes)}")


def _chosen(
    graph: FixedPointGraph,
    tensors: Mapping[str, NDArray[np.int64]],
    original: Original,
    pair: Pair,
) -> tuple[Pair, Local]:
    """Return a node and what is expected of it: with the cast of its copy if that fits better."""
    local = _local(graph, tensors, original, pair)
    values = values_of(tensors[pair.node], local.node.format)
    n_wrong = int(local.differing(values).sum())
    if n_wrong and pair.copied:
        whole = replace(pair, layers=pair.layers + pair.copied)
        other = _local(graph, tensors, original, whole)
        if int(other.differing(values).sum()) < n_wrong:
            return whole, other
    return pair, local


def _local(
    graph: FixedPointGraph,
    tensors: Mapping[str, NDArray[np.int64]],
    original: Original,
    pair: Pair,
) -> Local:
    """Return a node and what the original's layers give for its inputs."""
    layers = {layer.name: layer for layer in original.layers}
    last, node = layers[pair.layers[-1]], graph[pair.node]
    given = tuple(values_of(tensors[name], graph[name].format) for name in pair.sources)
    read = tuple(layers[name].values for name in layers[pair.layers[0]].inputs)
    expected, comparable = last.values, np.ones(len(last.values), dtype=bool)
    distances: list[Values] | None = None
    if pair.nodes and original.apply is not None:
        expected = _applied(original, pair.layers, given)
    elif pair.nodes:
        distances = [left - right for left, right in zip(given, read, strict=True)]
        if last.exact:
            same = [(distance == 0).all(axis=1) for distance in distances]
            comparable = np.logical_and.reduce(same)
    known = {name: tensors[name] for name in pair.sources or (*node.inputs,)}
    local = Local(
        graph=graph,
        node=node,
        nodes=pair.nodes or (node.name,),
        tensors=known,
        expected=expected,
        slack=None,
        comparable=comparable,
        grid=last.format,
        weights=_weights_of(original, pair.layers, scaled=isinstance(node, SumOfProducts)),
    )
    local = local if last.exact else with_slack(local, distances)
    return replace(local, rehearsal=_rehearsal(local, original, pair, read))


def _with_hidden(local: Local) -> tuple[Finding, ...]:
    """Return the causes in a layer, those that earlier faults hide too."""
    found = findings(local)
    if local.rehearsal is None or local.rehearsal.events is None:
        return found
    known = {finding.cause for finding in found} | {Cause.UNKNOWN}
    return found + tuple(
        replace(finding, hidden=True, event=int(local.rehearsal.events[finding.event]))
        for finding in findings(local.rehearsal)
        if finding.cause not in known
    )


def _rehearsal(
    local: Local, original: Original, pair: Pair, read: tuple[Values, ...]
) -> Local | None:
    """Return the layer with what the original's layer read, as far as its inputs hold it."""
    if not pair.nodes or original.apply is None:
        return None
    graph, held = local.graph, np.ones(len(local.expected), dtype=bool)
    tensors: dict[str, NDArray[np.int64]] = {}
    for name, values in zip(pair.sources, read, strict=True):
        fmt = replace(graph[name].format, rounding=Rounding.RND, overflow=Overflow.SAT)
        tensors[name] = quantise(values, fmt)
        distance = np.abs(values_of(tensors[name], fmt) - values)
        held &= (distance <= (0.0 if local.exact else fmt.lsb)).all(axis=1)
    same = all(np.array_equal(tensors[name], local.tensors[name]) for name in tensors)
    if same or not held.any():
        return None
    tensors = {name: raw[held] for name, raw in tensors.items()}
    given = tuple(values_of(tensors[name], graph[name].format) for name in pair.sources)
    expected = _applied(original, pair.layers, given)
    rehearsal = replace(
        local,
        tensors=tensors,
        expected=expected,
        comparable=np.ones(len(expected), dtype=bool),
        events=np.flatnonzero(held),
    )
    return rehearsal if local.exact else with_slack(rehearsal, None)


def _applied(original: Original, names: Iterable[str], given: tuple[Values, ...]) -> Values:
    """Compute layers one after the other."""
    if original.apply is None:
        return given[0]
    for name in names:
        given = (original.apply(name, given),)
    return given[0]


def _weights_of(original: Original, names: tuple[str, ...], *, scaled: bool) -> dict[str, Values]:
    """Return the constants of a node, with a batch normalisation behind it folded in."""
    weights: dict[str, Values] = {}
    for name in names:
        own = {entry.role: entry.values for entry in original.weights if entry.layer == name}
        if "scale" in own and scaled and "weight" in weights:
            kernel = weights["weight"]
            n_channels = own["scale"].size
            folded = kernel.reshape(-1, n_channels) * own["scale"]
            bias = weights.get("bias", np.zeros(n_channels)) * own["scale"] + own["bias"]
            weights = {"weight": folded.reshape(kernel.shape), "bias": bias}
        else:
            weights |= own
    return weights


def _comparison(
    tensors: Mapping[str, NDArray[np.int64]], pair: Pair, last: LayerTrace, local: Local
) -> LayerComparison:
    node = local.node
    values = values_of(tensors[pair.node], node.format)
    distance = np.abs(values - last.values)
    own = local.differing(values)
    slack = 0.0 if local.slack is None else local.slack
    return LayerComparison(
        layer=pair.node,
        original=pair.layers,
        n_values=values.size,
        n_different=int((distance > slack).sum()),
        n_own=int(own.sum()) if pair.nodes else None,
        largest=float(distance.max(initial=0.0)),
    )
