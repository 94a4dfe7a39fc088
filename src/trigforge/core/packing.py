"""Pack raw integers into the bits of a port and back: ``RawTensor <-> words``.

A port carries one event: element 0 in the lowest bits, every element in its own width, in
two's complement. Words are 32 bits, the lowest first; bits above the port's are zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError
from trigforge.core.records import Port, RawTensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_BITS_AT_ONCE = 1 << 26
"""Bounds the memory: a bit takes a byte on the way."""


def n_bits(port: Port) -> int:
    """Return the width of a port."""
    return port.n_elements * port.format.width


def n_words(port: Port) -> int:
    """Return how many 32-bit words hold the bits of a port."""
    return -(-n_bits(port) // 32)


def pack(raw: NDArray[Any], port: Port) -> NDArray[np.uint32]:
    """Return raw integers ``(n_events, n_elements)`` as words ``(n_events, n_words)``.

    Raises:
        InputError: if an event has another number of elements, or a value does not fit.
    """
    if raw.ndim != 2 or raw.shape[1] != port.n_elements:
        msg = f"port {port.name} carries {port.n_elements} elements an event, not {raw.shape}"
        raise InputError(msg)
    if not port.format.contains(raw):
        msg = (
            f"raw integers from {raw.min()} to {raw.max()} do not fit into port {port.name} "
            f"of {port.format}"
        )
        raise InputError(msg)
    words = np.empty((len(raw), n_words(port)), dtype="<u4")
    values = raw.astype(port.format.dtype.newbyteorder("<"), order="C", copy=False)
    _by_parts(port, words, lambda part: _packed(values[part], port))
    return words


def unpack(words: NDArray[np.uint32], port: Port) -> RawTensor:
    """Return words ``(n_events, n_words)`` as raw integers ``(n_events, n_elements)``.

    Raises:
        InputError: if an event has another number of words.
    """
    if words.ndim != 2 or words.shape[1] != n_words(port):
        msg = f"port {port.name} takes {n_words(port)} words an event, not {words.shape}"
        raise InputError(msg)
    raw = np.empty((len(words), port.n_elements), dtype=port.format.dtype)
    octets = np.ascontiguousarray(words, dtype="<u4").view(np.uint8)
    _by_parts(port, raw, lambda part: _unpacked(octets[part], port))
    return RawTensor(format=port.format, raw=raw)


def _by_parts(port: Port, results: NDArray[Any], convert: Callable[[slice], NDArray[Any]]) -> None:
    """Fill the results some events at a time."""
    n_at_once = max(1, _BITS_AT_ONCE // n_bits(port))
    for first in range(0, len(results), n_at_once):
        part = slice(first, first + n_at_once)
        results[part] = convert(part)


def _packed(values: NDArray[Any], port: Port) -> NDArray[np.uint32]:
    octets = values.view(np.uint8).reshape(*values.shape, 8)
    bits = np.unpackbits(octets, axis=-1, count=port.format.width, bitorder="little")
    row = np.zeros((len(values), 32 * n_words(port)), dtype=np.uint8)
    row[:, : n_bits(port)] = bits.reshape(len(values), -1)
    packed: NDArray[np.uint32] = np.packbits(row, axis=-1, bitorder="little").view("<u4")
    return packed


def _unpacked(octets: NDArray[np.uint8], port: Port) -> NDArray[Any]:
    width, shape = port.format.width, (len(octets), port.n_elements)
    bits = np.unpackbits(octets, axis=-1, count=n_bits(port), bitorder="little")
    held = np.packbits(bits.reshape(*shape, width), axis=-1, bitorder="little")
    values = np.zeros((*shape, 8), dtype=np.uint8)
    values[..., : held.shape[-1]] = held
    kind = "<i8" if port.format.signed else "<u8"
    unused = 64 - width
    extended = values.view(kind).reshape(shape) << unused >> unused  # arithmetic if signed
    raw: NDArray[Any] = extended.astype(port.format.dtype)
    return raw
