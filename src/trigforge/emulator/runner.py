"""Run a compiled emulator on arrays: ``Library -> Emulator``, ``NDArray -> NDArray``."""

from __future__ import annotations

import ctypes
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from trigforge.core.errors import InputError, StoreError, ToolError
from trigforge.core.records import Port, RawTensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.emulator.library import Library

_EVENTS_A_TURN = (1 << 14, 1 << 18)
"""Fewest and most events in one call: threads share the work out, and interrupts are heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """A loaded emulator; it may be used from any number of threads."""

    symbol: str
    input: Port
    output: Port
    metadata: dict[str, Any]
    _library: ctypes.CDLL

    @property
    def path(self) -> str:
        """The instruction set in use."""
        return str(self._function("path")().decode())

    def set_path(self, name: str) -> None:
        """Use another instruction set, for every thread.

        Raises:
            InputError: if this CPU or library does not have it.
        """
        if self._function("set_path")(name.encode()):
            msg = f"emulator {self.symbol}: this CPU or library has no instruction set {name!r}"
            raise InputError(msg)

    def predict(
        self, raw: NDArray[Any], *, n_threads: int = 1, out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Return raw outputs ``(n_events, n_outputs)`` for raw inputs ``(n_events, n_inputs)``.

        Inputs of type ``dtype`` in C order are not copied. ``out``, an array of that type and
        order, is filled and returned: fresh memory costs more than some networks.

        Raises:
            InputError: if the inputs have another shape, are no integers, or lie outside the
                input's format; if ``out`` does not fit; or if there is no thread to run.
        """
        self._check(raw, n_threads)
        outputs = self._outputs(len(raw), out)
        predict = self._function("predict")

        fewest, most = _EVENTS_A_TURN
        n_a_turn = min(max(fewest, len(raw) // (4 * n_threads)), most)

        def run(first: int) -> None:
            part, results = (each[first : first + n_a_turn] for each in (raw, outputs))
            inputs = self._converted(part)
            n_done = predict(inputs.ctypes.data, results.ctypes.data, len(inputs))
            if n_done != len(inputs):
                self._refuse(inputs[n_done])

        turns = iter(range(0, len(raw), n_a_turn))

        def work() -> None:
            for first in turns:
                run(first)

        if n_threads == 1:
            work()
            return outputs
        with ThreadPoolExecutor(n_threads - 1) as pool:
            others = [pool.submit(work) for _ in range(n_threads - 1)]
            work()
        for other in others:
            other.result()
        return outputs

    def run(self, inputs: RawTensor, *, n_threads: int = 1) -> RawTensor:
        """Return the outputs of a tensor of raw inputs.

        Raises:
            InputError: if the inputs have another format or size.
        """
        if inputs.format != self.input.format:
            msg = f"emulator {self.symbol} takes {self.input.format}, not {inputs.format}"
            raise InputError(msg)
        outputs = self.predict(inputs.raw, n_threads=n_threads)
        return RawTensor(format=self.output.format, raw=outputs.astype(np.int64))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The integers of the library's interface."""
        return np.dtype(np.int32 if self.metadata["raw_bits"] == 32 else np.int64)

    def _outputs(self, n_events: int, out: NDArray[Any] | None) -> NDArray[Any]:
        shape = (n_events, self.output.n_elements)
        if out is None:
            return np.empty(shape, dtype=self.dtype)
        if out.shape != shape or out.dtype != self.dtype or not out.flags.c_contiguous:
            msg = (
                f"emulator {self.symbol} fills {shape} {self.dtype} in C order, not "
                f"{out.shape} {out.dtype}"
            )
            raise InputError(msg)
        return out

    def _check(self, raw: NDArray[Any], n_threads: int) -> None:
        expected = self.input.n_elements
        if raw.ndim != 2 or raw.shape[1] != expected:
            msg = f"emulator {self.symbol} takes (n_events, {expected}) inputs, not {raw.shape}"
            raise InputError(msg)
        if raw.dtype.kind not in "iu":
            msg = f"emulator {self.symbol} takes raw integers, not {raw.dtype}"
            raise InputError(msg)
        if n_threads < 1:
            msg = f"emulator {self.symbol}: {n_threads} threads cannot run; at least 1"
            raise InputError(msg)

    def _converted(self, part: NDArray[Any]) -> NDArray[Any]:
        """Return events as the library reads them; refuse those outside the format."""
        if part.dtype != self.dtype and not self.input.format.contains(part):
            self._refuse(part)
        return np.ascontiguousarray(part, dtype=self.dtype)

    def _refuse(self, part: NDArray[Any]) -> NoReturn:
        msg = (
            f"emulator {self.symbol}: raw inputs from {part.min()} to {part.max()} do not "
            f"fit into {self.input.format}"
        )
        raise InputError(msg)

    def _function(self, name: str) -> Any:
        function = getattr(self._library, f"{self.symbol}_{name}")
        function.argtypes, function.restype = _SIGNATURES[name]
        return function


_SIGNATURES: dict[str, tuple[list[Any], Any]] = {
    "predict": ([ctypes.c_void_p, ctypes.c_void_p, ctypes.c_longlong], ctypes.c_longlong),
    "metadata": ([], ctypes.c_char_p),
    "path": ([], ctypes.c_char_p),
    "set_path": ([ctypes.c_char_p], ctypes.c_int),
}


def load(library: Library) -> Emulator:
    """Load a library into this process.

    Raises:
        ToolError: if the system cannot load it.
        StoreError: if it is not the library of these sources.
    """
    sources = library.sources
    try:
        loaded = ctypes.CDLL(str(library.path.absolute()))
        describe = getattr(loaded, f"{sources.symbol}_metadata")
    except (OSError, AttributeError) as error:
        msg = f"{library.path} cannot be loaded: {error}"
        raise ToolError(msg) from error
    describe.restype = ctypes.c_char_p
    metadata = json.loads(describe())
    if metadata != sources.metadata:
        msg = f"{library.path} is the library of other sources: {metadata}"
        raise StoreError(msg)
    return Emulator(
        symbol=sources.symbol,
        input=sources.input,
        output=sources.output,
        metadata=metadata,
        _library=loaded,
    )
