"""Lay the terms of sums of products out as words of two or four elements of an event."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.emulator.layout import byte_zero, half_zero
from trigforge.emulator.source import pointer
from trigforge.emulator.sums import Method

if TYPE_CHECKING:
    from trigforge.emulator.layout import Tensor
    from trigforge.emulator.ranges import Interval
    from trigforge.emulator.source import Source
    from trigforge.emulator.sums import Sums

PAD = -1
ANY = -2
"""In a word: a padded cell, which counts as zero, and a place whose weights are zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words that a node's sums read.

    ``at`` is ``(n_positions, n_words)``: which word of the tensor (if it lies in quads) or,
    beyond those, of ``built`` ``(n_built, size)``, which holds elements; ``weights`` is
    ``(n_words, size, n_channels)``. Words without weights are left out.
    """

    size: int
    zero: int
    at: NDArray[np.int64]
    built: NDArray[np.int64]
    weights: NDArray[Any]
    n_own: int


def plan(sums: Sums, tensor: Tensor) -> Words:
    """Choose the words: neighbours along each row of a window."""
    size = 4 if sums.method is Method.QUADS else 2
    n_positions, n_runs, n_cells = sums.cells.shape
    n_padded = -(-n_cells // size) * size
    cells = np.full((n_positions, n_runs, n_padded), ANY, dtype=np.int64)
    cells[:, :, :n_cells] = sums.cells
    weights = np.zeros((n_runs, n_padded, sums.n_channels), dtype=np.int64)
    weights[:, :n_cells] = sums.weights.reshape(n_runs, n_cells, -1)
    words = cells.reshape(n_positions, -1, size)
    weights = weights.reshape(-1, size, sums.n_channels)
    used = weights.any(axis=(1, 2))
    words, weights = words[:, used], weights[used]
    own = tensor.n_quads if tensor.quads else 0
    at, built = _numbered(_extended(words, max(4 * own, tensor.n_elements)), own)
    zero = tensor.zero if tensor.quads else zero_of(sums.method, tensor.range)
    return Words(size=size, zero=zero, at=at, built=built, weights=weights, n_own=own)


def zero_of(method: Method, interval: Interval) -> int:
    """Return what is subtracted from every term."""
    chosen = byte_zero(interval) if method is Method.QUADS else half_zero(interval)
    return chosen or 0


def _extended(words: NDArray[np.int64], n_elements: int) -> NDArray[np.int64]:
    """Let places without weights hold the element that follows, so that words coincide."""
    words = words.copy()
    for place in range(1, words.shape[2]):
        before, here = words[:, :, place - 1], words[:, :, place]
        follows = (here == ANY) & (before >= 0) & (before + 1 < n_elements)
        words[:, :, place] = np.where(follows, before + 1, here)
    return np.where(words == ANY, PAD, words)


def _numbered(words: NDArray[np.int64], n_own: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which word each is, and those that the tensor does not hold as they are."""
    flat = words.reshape(-1, words.shape[2])
    first = flat[:, 0]
    aligned = (first >= 0) & (first % 4 == 0) & (first // 4 < n_own)
    aligned &= (flat == first[:, None] + np.arange(flat.shape[1])).all(axis=1)
    if not n_own:
        aligned[:] = False
    built, index = np.unique(flat[~aligned], axis=0, return_inverse=True)
    at = np.where(aligned, first // 4, 0)
    at[~aligned] = n_own + index.reshape(-1)
    return at.reshape(words.shape[:2]), built


def render(words: Words, tensor: Tensor, room: int, source: Source, name: str) -> None:
    """Define the function that builds the words a tensor does not hold itself."""
    if not len(words.built):
        return
    lines = [
        pointer(tensor, "in", constant=False),
        f"int32_t *__restrict const out = buffer<int32_t>(work, {room});",
    ]
    lines += (
        _from_quads(words, tensor, source) if tensor.quads else _from_planes(words, tensor, source)
    )
    source.function(f"{name}(unsigned char *work)", lines)


def _from_planes(words: Words, tensor: Tensor, source: Source) -> list[str]:
    elements = source.table(np.where(words.built < 0, tensor.n_elements, words.built), "uint32_t")
    pack = "pack_quads" if words.size == 4 else "pack_pairs"
    kind = tensor.c_type
    return [
        f"fill_plane(in + {tensor.n_elements} * LANES, {kind}(0));",
        f"{pack}(in, {elements}, {len(words.built)}, {kind}({words.zero}), out);",
    ]


def _from_quads(words: Words, tensor: Tensor, source: Source) -> list[str]:
    """Shift neighbours together; pick the bytes of other words one by one."""
    built = words.built
    run = (built[:, 0] >= 0) & (built == built[:, :1] + np.arange(4)).all(axis=1)
    run &= built[:, 0] % 4 != 0
    n_quads = tensor.n_quads
    byte = (-tensor.zero) & 255
    lines = [f"fill_plane(in + {n_quads} * LANES, int32_t({byte} * 0x01010101u));"]
    for start, stop in _stretches(run):
        part = built[start:stop]
        target = f"out + {start} * LANES"
        if run[start]:
            table = source.table(
                np.stack([part[:, 0] // 4, part[:, 0] % 4 * 8], axis=1), "uint32_t"
            )
            lines.append(f"shift_words(in, {table}, {stop - start}, {target});")
        else:
            bytes_at = source.table(np.where(part < 0, 4 * n_quads, part), "uint32_t")
            lines.append(f"pick_words(in, {bytes_at}, {stop - start}, {target});")
    return lines


def _stretches(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where runs of equal flags begin and end."""
    borders = np.flatnonzero(np.diff(flags)) + 1
    edges = [0, *(int(border) for border in borders), len(flags)]
    return list(itertools.pairwise(edges))
