"""Sums of products on words: loops over constant tables, or straight-line code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.emulator.source import Body, nested
from trigforge.emulator.sums import Method, Sums
from trigforge.emulator.words import Words

if TYPE_CHECKING:
    from trigforge.emulator.finish import Finish
    from trigforge.emulator.layout import Tensor
    from trigforge.emulator.source import Source

GROUP = 4
"""Outputs held in registers; as quads they are one word."""

MIN_EMPTY = 0.25
MAX_UNROLLED = 6000
"""Straight-line code leaves out each word without weights for one output, but compiles slowly.

It is for nodes with that share of such words, and not too many others; a loop over a table
leaves out only words without weights for all four outputs of a group.
"""

_INT16_MAX = 32767


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """Sums on words: ``at`` is where each word of a position lies in the work space.

    Positions come in windows of ``n_pooled``, of which the largest sums are kept. ``largest``
    is the largest term as it lies in a word.
    """

    sums: Sums
    words: Words
    at: NDArray[np.int64]
    n_pooled: int
    largest: int

    @property
    def n_results(self) -> int:
        """Positions of the result."""
        return len(self.at) // self.n_pooled


def kernel(
    sums: Sums, words: Words, places: tuple[Tensor, int], windows: NDArray[np.int64] | None
) -> Kernel:
    """Place the words: those of the tensor in its own room, the others in that given beside it.

    ``windows`` is ``(n_results, n_pooled)``: the positions of which the largest are kept.
    """
    tensor, room = places
    own = tensor.offset // 4 + words.at
    at = np.where(words.at < words.n_own, own, room // 4 + words.at - words.n_own)
    if windows is not None:
        at = at[windows.reshape(-1)]
    low = min(tensor.range.low, 0) - words.zero
    return Kernel(
        sums=sums,
        words=words,
        at=at,
        n_pooled=1 if windows is None else windows.shape[1],
        largest=max(abs(low), abs(max(tensor.range.high, 0) - words.zero)),
    )


def render(plan: Kernel, finish: Finish, name: str) -> None:
    """Define the function that computes a node's sums."""
    source, sums = finish.source, plan.sums
    inline = sums.n_positions == 1
    unrolled = _is_sparse(plan)
    table = source.table(plan.at, "uint32_t") if not (inline and unrolled) else ""
    lines = [
        "const int32_t *const words = reinterpret_cast<const int32_t *>(work);",
        finish.pointer,
        f"alignas(64) int32_t sums[{GROUP}][LANES] = {{}};",
    ]
    for first in range(0, sums.n_channels, GROUP):
        channels = range(first, min(first + GROUP, sums.n_channels))
        group = f"{name}_{first}"
        (_unrolled if unrolled else _looped)(plan, channels, source, (group, table))
        body = Body()
        elements = [_element(plan, channel) for channel in channels]
        finish.store(body, elements, [_sum(plan, source, body, c - first, c) for c in channels])
        step = [*_summed(plan, group, table), *body.loop()]
        lines += nested(f"for (int p = 0; p < {plan.n_results}; ++p)", step) if table else step
    source.function(f"{name}(unsigned char *work)", lines)


def _summed(plan: Kernel, group: str, table: str) -> list[str]:
    """Call the function of a group, for every position of a window if the sums are pooled."""
    if plan.n_pooled == 1:
        return [f"{group}(words, {f'{table}[p]' if table else 'nullptr'}, sums);"]
    first = f"{table} + p * {plan.n_pooled}"
    return [f"largest_sums({group}, words, {first}, {plan.n_pooled}, sums);"]


def _is_sparse(plan: Kernel) -> bool:
    used = plan.words.weights.any(axis=1)
    return bool(used.size and used.mean() <= 1 - MIN_EMPTY and used.sum() <= MAX_UNROLLED)


def _element(plan: Kernel, channel: int) -> str:
    return f"p * {plan.sums.n_channels} + {channel}" if plan.sums.n_positions > 1 else str(channel)


def _sum(plan: Kernel, source: Source, body: Body, place: int, channel: int) -> Any:
    fraction = plan.sums.node.accumulator.fractional_bits
    bias = source.constants(plan.sums.bias, fraction, str(channel))
    return plan.sums.result(body.let(plan.sums.raw_sum(f"sums[{place}][l]")), bias)


def _packed(weights: NDArray[Any]) -> NDArray[Any]:
    """Pack ``(..., size)`` weights into signed 32-bit words, the first in the lowest bits."""
    bits = 32 // weights.shape[-1]
    parts = (weights.astype(np.int64) & ((1 << bits) - 1)) << (bits * np.arange(weights.shape[-1]))
    word = parts.sum(axis=-1)
    return np.asarray(np.where(word >= 1 << 31, word - (1 << 32), word))


def _starts(plan: Kernel, channels: range) -> NDArray[np.int64]:
    """Return what the sums of a group start from, modulo 2**32."""
    start = plan.sums.start(plan.words.zero)[list(channels)]
    wrapped = [(int(value) + (1 << 31)) % (1 << 32) - (1 << 31) for value in start]
    return np.array(wrapped + [0] * (GROUP - len(wrapped)), dtype=np.int64)


def _unrolled(plan: Kernel, channels: range, source: Source, names: tuple[str, str]) -> None:
    """Define a function that adds all products of a group, word by word."""
    name, table = names
    weights = plan.words.weights[:, :, channels.start : channels.stop]
    packed = _packed(np.moveaxis(weights, 1, 2))
    constants = [int(value) for value in _starts(plan, channels)[: len(channels)]]
    adder = _Adder(plan=plan, n_channels=len(channels))
    lines: list[str] = []
    for k in range(len(packed)):
        if not packed[k].any():
            continue
        at = f"at[{k}]" if table else str(int(plan.at[0, k]))
        lines.append(f"x = load(words + int64_t({at}) * LANES);")
        for j in range(len(channels)):
            if packed[k, j]:
                lines += adder.lines(j, weights[k, :, j], len(constants))
                constants.append(int(packed[k, j]))
    lines += adder.last_lines()
    lines += [f"store(sums[{j}], a{j});" for j in range(len(channels))]
    start = [
        "(void)at;",
        f"const int32_t *const w = opaque({source.table(np.array(constants), 'int32_t')});",
        "Lanes x;",
        *(f"Lanes a{j} = splat(w[{j}]), p{j} = {{}};" for j in range(len(channels))),
    ]
    source.function(f"{name}({_PARAMETERS})", start + lines)


_PARAMETERS = "const int32_t *words, const uint32_t *at, int32_t (*sums)[LANES]"


@dataclass(slots=True, kw_only=True)
class _Adder:
    """Render additions of words; knows how large the 16-bit partial sums can be by now."""

    plan: Kernel
    n_channels: int
    reached: dict[int, NDArray[np.int64]] | None = None

    def lines(self, channel: int, weights: NDArray[np.int64], place: int) -> list[str]:
        """Add the products of one word to a channel; ``place`` is where the weights are."""
        if self.plan.sums.method is Method.PAIRS:
            return [f"add_pairs(a{channel}, x, w[{place}]);"]
        added = np.abs(weights).reshape(2, 2).sum(axis=1) * self.plan.largest
        if added.max() > _INT16_MAX:
            return [f"add_large_quads(a{channel}, x, w[{place}]);"]
        if self.reached is None:
            self.reached = {}
        before = self.reached.get(channel)
        line = f"add_quads(a{channel}, p{channel}, x, w[{place}]);"
        if before is None:
            self.reached[channel] = added
            return [line]
        if (before + added).max() > _INT16_MAX:
            self.reached[channel] = added
            return [f"settle(a{channel}, p{channel});", line]
        self.reached[channel] = before + added
        return [line]

    def last_lines(self) -> list[str]:
        """Bring the partial sums home."""
        return [f"settle(a{channel}, p{channel});" for channel in self.reached or {}]


def _looped(plan: Kernel, channels: range, source: Source, names: tuple[str, str]) -> None:
    """Define a function that reads words and weights of a group from a table."""
    weights = plan.words.weights[:, :, channels.start : channels.stop]
    packed = _packed(np.moveaxis(weights, 1, 2))
    padded = np.zeros((len(packed), GROUP), dtype=np.int64)
    padded[:, : len(channels)] = packed
    used = np.flatnonzero(padded.any(axis=1))
    entries = source.entries(used, padded[used])
    starts = source.table(_starts(plan, channels), "int32_t")
    start = ", ".join(f"splat({starts}[{j}])" for j in range(GROUP))
    call, last = _loop(plan, weights[used])
    lines = [
        f"Lanes a[{GROUP}] = {{{start}}};",
        f"{call}(a, words, at, opaque({entries}), {len(used)}{last});",
        f"for (int i = 0; i < {GROUP}; ++i) store(sums[i], a[i]);",
    ]
    source.function(f"{names[0]}({_PARAMETERS})", lines)


def _loop(plan: Kernel, weights: NDArray[Any]) -> tuple[str, str]:
    """Choose the loop: how many words may be added in 16 bits decides between those of quads."""
    if plan.sums.method is Method.PAIRS:
        return "add_pair_entries", ""
    halves = np.abs(weights).reshape(-1, 2, 2, weights.shape[-1]).sum(axis=2)
    heaviest = int(halves.max(initial=0)) * plan.largest
    n_safe = _INT16_MAX // max(heaviest, 1)
    return ("add_quad_entries", f", {n_safe}") if n_safe else ("add_large_entries", "")
