"""Compare implementations on raw integers: ``RawTensor, RawTensor -> Agreement``.

Two results agree if they have the same shape, the same fixed-point format and equal raw
integers. There is no tolerance; results in different formats are not comparable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.errors import ComparisonError
from trigforge.core.files import digest_of
from trigforge.core.records import Agreement, Difference, RawTensor, Stimulus

if TYPE_CHECKING:
    from trigforge.core.fixed_point import FixedPointFormat

N_RANDOM = 512
"""Random events on the whole input grid."""


def compare(
    reference: tuple[str, RawTensor],
    candidate: tuple[str, RawTensor],
    stimulus: Stimulus,
    output_names: tuple[str, ...],
) -> Agreement:
    """Compare two named results for the same stimulus, value by value.

    Raises:
        ComparisonError: if shapes or formats differ, or the stimulus or the names of the
            outputs have another length.
    """
    (reference_name, expected), (candidate_name, found) = reference, candidate
    what = f"{reference_name} and {candidate_name}"
    if _grid(expected.format) != _grid(found.format):
        msg = f"{what} cannot be compared: {expected.format} is not {found.format}"
        raise ComparisonError(msg)
    if expected.raw.shape != found.raw.shape or len(expected.raw) != len(stimulus.inputs.raw):
        msg = (
            f"{what} cannot be compared: {expected.raw.shape} and {found.raw.shape} values "
            f"for {len(stimulus.inputs.raw)} events"
        )
        raise ComparisonError(msg)
    if len(output_names) != expected.raw.shape[1]:
        msg = f"{what}: {len(output_names)} names for {expected.raw.shape[1]} outputs"
        raise ComparisonError(msg)
    different = expected.raw != found.raw
    first = None
    if different.any():
        event, output = (int(i) for i in np.argwhere(different)[0])
        first = Difference(
            event=event,
            origin=stimulus.block_of(event),
            output=output,
            output_name=output_names[output],
            reference=int(expected.raw[event, output]),
            candidate=int(found.raw[event, output]),
        )
    return Agreement(
        reference=reference_name,
        candidate=candidate_name,
        n_events=len(expected.raw),
        n_values=expected.raw.size,
        n_different=int(different.sum()),
        n_different_events=int(different.any(axis=1).sum()),
        first_difference=first,
    )


def _grid(fmt: FixedPointFormat) -> tuple[bool, int, int]:
    """Return what decides the value of a raw integer; modes only say how it came about."""
    return fmt.signed, fmt.width, fmt.integer_bits


def make_stimulus(held_out: RawTensor, seed: int) -> Stimulus:
    """Return the held-out events followed by the corners of the input grid.

    ``held_out`` is ``(n_events, n_elements)``. The corners: all elements at their smallest,
    largest and zero; smallest and largest alternating, both ways; each element at its
    largest alone; random integers over the whole grid.
    """
    fmt, n_elements = held_out.format, held_out.raw.shape[1]
    low, high = fmt.raw_min, fmt.raw_max
    even = np.arange(n_elements) % 2 == 0
    zero = min(max(0, low), high)
    single = np.full((n_elements, n_elements), zero, dtype=np.int64)
    np.fill_diagonal(single, high)
    random = np.random.default_rng(seed).integers(
        low, high, size=(N_RANDOM, n_elements), endpoint=True, dtype=np.int64
    )
    blocks: list[tuple[str, np.ndarray]] = [
        ("held_out", held_out.raw),
        ("all_smallest", np.full((1, n_elements), low)),
        ("all_largest", np.full((1, n_elements), high)),
        ("all_zero", np.full((1, n_elements), zero)),
        ("alternating", np.stack([np.where(even, low, high), np.where(even, high, low)])),
        ("one_largest", single),
        ("random", random),
    ]
    return Stimulus(
        inputs=RawTensor(format=fmt, raw=np.concatenate([block for _, block in blocks])),
        blocks=tuple((name, len(block)) for name, block in blocks),
    )


def project_vectors(stimulus: Stimulus, n_held_out: int) -> RawTensor:
    """Return the first held-out events and all corners: what a project carries along."""
    n_first = stimulus.blocks[0][1]
    raw = stimulus.inputs.raw
    chosen = np.concatenate([raw[: min(n_held_out, n_first)], raw[n_first:]])
    return RawTensor(format=stimulus.inputs.format, raw=chosen)


def digest(stimulus: Stimulus) -> str:
    """Return the digest of a stimulus."""
    return digest_of(str(stimulus.inputs.format), stimulus.inputs.raw.tobytes())
