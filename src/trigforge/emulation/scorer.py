"""The emulated firmware of a network as a function of events that can be sent to workers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge import emulator
from trigforge.core import graph_file
from trigforge.core.errors import InputError
from trigforge.core.link import LinkEncoding
from trigforge.core.records import Port
from trigforge.core.store import Store
from trigforge.emulation.columns import Columns, raw_integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.graph import FixedPointGraph
    from trigforge.emulator import Emulator


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """Raw scores of events, exactly as the firmware of a network computes them.

    Its pickle is as small as the network: the program is compiled where it is called first, or
    taken from the ``store`` if it is there. Call it on NumPy, awkward or Dask arrays.
    """

    name: str
    graph: str
    """Digest of the network."""
    encoding: LinkEncoding
    input: Port
    output: Port
    input_names: tuple[str, ...]
    """Of each element of an event; none: an event is one list, in C order."""
    output_names: tuple[str, ...]
    dtype: str
    """Of the raw scores: int32, or int64 where 32 bits are too few."""
    store: Store
    files: tuple[tuple[str, bytes], ...] = field(repr=False)
    """The network itself, as ``core.graph_file`` writes it."""

    @classmethod
    def of(
        cls,
        graph: FixedPointGraph,
        encoding: LinkEncoding,
        names: tuple[tuple[str, ...], tuple[str, ...]],
        store: Store,
    ) -> Scorer:
        """Return the scorer of a network, compiled; ``names`` are of its inputs and outputs.

        Raises:
            InputError: if there are not as many names as outputs, or two are the same.
            ToolError: if it cannot be compiled.
        """
        inputs, outputs = names
        n_outputs = graph.output.port.n_elements
        if len(outputs) != n_outputs or len(set(outputs)) != n_outputs:
            msg = f"{graph.name}: {n_outputs} outputs need as many names, not {outputs}"
            raise InputError(msg)
        compiled = emulator.load(emulator.build(emulator.generate(graph), store))
        return cls(
            name=graph.name,
            graph=graph_file.digest(graph),
            encoding=encoding,
            input=graph.input.port,
            output=graph.output.port,
            input_names=inputs if len(inputs) == graph.input.port.n_elements else (),
            output_names=outputs,
            dtype=compiled.dtype.name,
            store=Store(store.root.absolute()),
            files=tuple(graph_file.to_files(graph).items()),
        )

    @property
    def element_names(self) -> tuple[str, ...]:
        """What messages call the elements of an event."""
        return self.input_names or tuple(f"element {i}" for i in range(self.input.n_elements))

    def __call__(self, events: Any) -> Any:
        """Return raw scores, an array of the same kind as the events.

        NumPy, Dask: ``(n_events, ...)`` becomes ``(n_events, n_outputs)``. Awkward: records with
        the inputs' names, or lists of one length, become records with the outputs' names.
        Integers are raw integers of the link, floats are encoded first.

        Raises:
            InputError: if they are no events of this network.
        """
        if isinstance(events, np.ndarray):
            return self.score(self._columns_of(events))
        from trigforge.emulation import arrays  # noqa: PLC0415 - loads Dask and awkward

        return arrays.score(self, events)

    def score(self, columns: Columns) -> NDArray[Any]:
        """Return raw scores ``(n_events, n_outputs)`` of events given by columns, on one thread.

        Raises:
            InputError: if a number cannot be on the link.
        """
        raw = raw_integers(columns, self.encoding, self.dtype)
        return _loaded(self).predict(raw)

    def _columns_of(self, events: NDArray[Any]) -> Columns:
        n_elements = self.input.n_elements
        if events.ndim < 2 or int(np.prod(events.shape[1:])) != n_elements:
            msg = f"{self.name} takes events ({n_elements} numbers each), not {events.shape}"
            raise InputError(msg)
        flat = events.reshape(len(events), n_elements)
        return Columns(names=self.element_names, arrays=tuple(flat.T))


@lru_cache(maxsize=8)
def _loaded(scorer: Scorer) -> Emulator:
    """Return the program of a scorer, once a process."""
    graph = graph_file.from_files(dict(scorer.files), where=f"network {scorer.name}")
    return emulator.load(emulator.build(emulator.generate(graph), scorer.store))
