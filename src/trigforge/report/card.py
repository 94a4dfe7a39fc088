"""The model card: ``Spec, provenance, metrics -> Markdown`` beside the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trigforge.core.config import Spec
    from trigforge.core.records import Metrics


def make(
    spec: Spec,
    provenance: Mapping[str, Any],
    metrics: tuple[Metrics, Metrics],
) -> str:
    """Return the card: what the network is, what it was trained on and how well it does."""
    baseline, quantised = metrics
    versions = ", ".join(f"{name} {version}" for name, version in provenance["versions"].items())
    network = (
        f"Architecture `{spec.network.architecture}`, weights `{spec.quantization.weight_format}`, "
        f"activations `{spec.quantization.activation_format}`, link "
        f"`{spec.quantization.link_format}`; the whole spec is `../{spec.name}.yaml`."
    )
    training = (
        f"Trained on {provenance['n_train']} events ({spec.sample.kind}, Pythia seed "
        f"{provenance['sample'].get('seed', spec.sample.seed)}), training seed "
        f"{provenance['seed']}, with {versions}. The events are simulated; the figures hold for "
        "this sample alone and are not those of the public benchmark."
    )
    lines = [
        f"# {spec.name}",
        "",
        network,
        "",
        training,
        "",
        f"On {baseline.n_events} held-out events:",
        "",
        "| | float | quantised |",
        "|---|---|---|",
    ]
    if baseline.accuracy is not None and quantised.accuracy is not None:
        lines.append(f"| accuracy | {baseline.accuracy:.4f} | {quantised.accuracy:.4f} |")
    for before, after in zip(baseline.classes, quantised.classes, strict=True):
        rejection = f"1/background at {before.signal_efficiency:.0%} {before.name}"
        rejections = f"{before.background_rejection:.1f} | {after.background_rejection:.1f}"
        lines += [
            f"| AUC {before.name} | {before.auc:.4f} | {after.auc:.4f} |",
            f"| {rejection} | {rejections} |",
        ]
    return "\n".join(lines) + "\n"
