"""Ports as JSON: how ``ports.json`` of a project or of firmware describes its tensors."""

from __future__ import annotations

from typing import Any

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Port

PACKING = "element i occupies bits [i*width, (i+1)*width - 1]; row-major order"


def write(port: Port) -> dict[str, Any]:
    """Return a port as JSON, with the widths that follow from it."""
    return {
        "name": port.name,
        "shape": list(port.shape),
        "n_elements": port.n_elements,
        "format": str(port.format),
        "signed": port.format.signed,
        "width_bits": port.format.width,
        "fractional_bits": port.format.fractional_bits,
        "total_bits": port.n_elements * port.format.width,
    }


def read(entry: dict[str, Any]) -> Port:
    """Read a port; name, shape and format say everything.

    Raises:
        InputError: if one of them is missing or wrong.
    """
    try:
        shape = tuple(entry["shape"])
        name, fmt = str(entry["name"]), parse_format(entry["format"])
    except (KeyError, TypeError) as error:
        msg = f"a port needs name, shape and format, got {entry!r}"
        raise InputError(msg) from error
    if not all(isinstance(size, int) and size > 0 for size in shape):
        msg = f"port {name}: its shape {list(shape)} must be whole numbers above zero"
        raise InputError(msg)
    return Port(name=name, shape=shape, format=fmt)
