"""One layer of hls4ml's optimised graph, read without guessing.

hls4ml keeps formats in several places; what is read here is what its templates print into
the C++ (hls4ml 1.3.0, backends/vivado/passes/*_templates.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from hls4ml.model.types import FixedPrecisionType, IntegerPrecisionType, XnorPrecisionType

from trigforge.core.errors import ConversionError, InputError
from trigforge.core.fixed_point import FixedPointFormat, Rounding, parse_format, quantise

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MADE_FOR = ("repack_",)
"""Prefixes of layers that hls4ml puts in the place of a layer of the user's."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a ``ModelGraph`` and the names of the nodes it reads in our graph."""

    node: Any
    inputs: tuple[str, ...]

    @property
    def name(self) -> str:
        """The user's name of the layer."""
        name = str(self.node.name)
        for prefix in _MADE_FOR:
            name = name.removeprefix(prefix)
        return name

    @property
    def class_name(self) -> str:
        """The class in hls4ml."""
        return str(self.node.class_name)

    @property
    def stream(self) -> bool:
        """The layers pass packs of channels to each other, not whole arrays."""
        return bool(self.node.model.config.get_config_value("IOType") == "io_stream")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result."""
        return tuple(int(size) for size in self.node.get_output_variable().shape)

    @property
    def n_elements(self) -> int:
        """Elements of the result."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def result(self) -> FixedPointFormat:
        """The format of the result."""
        return self.format_of(self.result_precision(), "result")

    def result_precision(self) -> Any:
        """Return hls4ml's type of the result."""
        return self.node.get_output_variable().type.precision

    def source_shape(self, index: int = 0) -> tuple[int, ...]:
        """Return the shape of an input."""
        variable = self.node.get_input_variable(self.node.inputs[index])
        return tuple(int(size) for size in variable.shape)

    def source_precision(self, index: int = 0) -> Any:
        """Return hls4ml's type of an input."""
        return self.node.get_input_variable(self.node.inputs[index]).type.precision

    def source_format(self, index: int = 0) -> FixedPointFormat:
        """Return the format of an input."""
        return self.format_of(self.source_precision(index), "input")

    def has(self, key: str) -> bool:
        """Tell whether hls4ml gave the layer an attribute."""
        return self.node.get_attr(key) is not None

    def integer(self, key: str, default: int | None = None) -> int:
        """Return an attribute that is a whole number.

        Raises:
            ConversionError: if there is none.
        """
        value = self.node.get_attr(key, default)
        if value is None or int(value) != float(value):
            self.refuse(f"its {key} is {value!r}, not a whole number")
        return int(value)

    def text(self, key: str, default: str = "") -> str:
        """Return an attribute as text in lower case."""
        return str(self.node.get_attr(key, default)).lower()

    def type_format(self, role: str) -> FixedPointFormat:
        """Return the format of an internal type: ``accum``, ``table``, ``param``, ..."""
        return self.format_of(self.node.get_attr(f"{role}_t").precision, role)

    def format_of(self, precision: Any, role: str) -> FixedPointFormat:
        """Return the format of one of hls4ml's types.

        ``ap_int`` is a format without fractional bits that truncates towards zero: so it is
        assigned from ``ap_fixed`` and from double (``to_ap_int_base``, ap_fixed_base.h).

        Raises:
            ConversionError: if it is no fixed-point type.
        """
        if not isinstance(precision, (FixedPrecisionType, IntegerPrecisionType, XnorPrecisionType)):
            kind = type(precision).__name__
            self.refuse(f"its {role} is {precision} ({kind}), no fixed-point type")
        try:
            fmt = parse_format(str(precision))
        except InputError as error:
            self.refuse(f"its {role}: {error}")
        integer = isinstance(precision, (IntegerPrecisionType, XnorPrecisionType))
        return replace(fmt, rounding=Rounding.TRN_ZERO) if integer else fmt

    def weights(self, role: str) -> tuple[NDArray[np.int64], FixedPointFormat]:
        """Return raw weights, flat in the order in which the header lists them.

        The header holds decimal text with as many digits as the type has fractional bits;
        C++ reads it as double and casts it.
        """
        variable = self.node.get_weights(role)
        if type(variable).__name__.startswith(("Compressed", "Exponent")):
            self.refuse(f"its {role}s are {type(variable).__name__}, not a plain array")
        fmt = self.format_of(variable.type.precision, role)
        values = np.array([float(text) for text in variable], dtype=np.float64)
        return quantise(values, fmt).astype(np.int64), fmt

    def constant(self, key: str, fmt: FixedPointFormat) -> int:
        """Return the raw integer of a number that the C++ casts to a format."""
        return int(quantise(float(self.node.get_attr(key)), fmt))

    def tensor(self) -> dict[str, Any]:
        """Return the fields that every node has."""
        return {
            "name": self.name,
            "inputs": self.inputs,
            "shape": self.shape,
            "format": self.result,
        }

    def check_packs(self) -> None:
        """Refuse an element-wise layer that reads a pack of another size than it writes.

        Raises:
            ConversionError: if hls4ml's C++ would read beyond a pack (it does where such
                a layer follows a flattening in io_stream).
        """
        if not self.stream:
            return
        packs = {
            variable.type.n_elem
            for variable in (
                *(self.node.get_input_variable(name) for name in self.node.inputs),
                self.node.get_output_variable(),
            )
        }
        if len(packs) != 1:
            sizes = " and ".join(map(str, sorted(packs)))
            self.refuse(
                f"in io_stream its packs have {sizes} elements and the C++ reads beyond them; "
                "put it before the flattening"
            )

    def refuse(self, reason: str) -> NoReturn:
        """Raise the error that names this layer."""
        msg = f"layer {self.name} ({self.class_name}): {reason}"
        raise ConversionError(msg)


def holds(target: FixedPointFormat, source: FixedPointFormat) -> bool:
    """Tell whether a format represents every value of another."""
    gained = target.fractional_bits - source.fractional_bits
    if gained < 0:
        return False
    low, high = target.saturation_limits
    return (source.raw_min << gained) >= low and (source.raw_max << gained) <= high
