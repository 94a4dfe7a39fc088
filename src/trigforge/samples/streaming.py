"""Zero bias without end: more crossings than fit into memory, to count rates with.

``(CrossingSpec, chunk) -> crossings``. The chunks are independent of each other and of every
sample of the spec. The store keeps their pools of collisions, which are small and dear, not the
crossings, which are neither.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from trigforge.core.errors import SpecError
from trigforge.core.records import no_progress
from trigforge.samples import workers
from trigforge.samples.crossing_recipe import CHUNK_CROSSINGS, CrossingRecipe
from trigforge.samples.recipes import recipe_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from trigforge.core.config import SampleSpec
    from trigforge.core.records import Progress
    from trigforge.core.store import Store


def stream(  # noqa: PLR0913 - a range of chunks and how to work it off
    spec: SampleSpec,
    store: Store,
    *,
    first_chunk: int,
    n_chunks: int,
    n_processes: int,
    progress: Progress = no_progress,
) -> Iterator[tuple[NDArray[Any], int]]:
    """Yield ``(x, chunk)`` for further chunks of zero bias, in their order.

    ``x`` is as in a sample, ``CHUNK_CROSSINGS`` examples each. Chunks count from 0; a number
    means the same crossings whatever the sizes of the sample. At most ``n_processes + 1`` chunks
    are begun and not taken.

    Raises:
        SpecError: if the spec's sample has no zero bias.
        InputError: if ``n_processes`` is less than one.
        ToolError: if Pythia fails or a process dies.
        StoreError: if a kept pool is corrupt or a new one cannot be written.
    """
    workers.check_number(n_processes)
    recipe = recipe_of(spec)
    if not isinstance(recipe, CrossingRecipe):
        msg = f"sample.kind: {spec.kind} has no zero bias; only samples of crossings can go on"
        raise SpecError(msg)
    indices = range(first_chunk, first_chunk + n_chunks)
    total = n_chunks * CHUNK_CROSSINGS
    progress(recipe.unit, 0, total)
    for number, (x, index) in enumerate(_made(recipe, store, indices, n_processes), start=1):
        progress(recipe.unit, number * CHUNK_CROSSINGS, total)
        yield x, index


def _made(
    recipe: CrossingRecipe, store: Store, indices: range, n_processes: int
) -> Iterator[tuple[NDArray[Any], int]]:
    if n_processes == 1 or len(indices) < 2:
        for index in indices:
            yield _crossings(recipe, index, store), index
        return
    with workers.working(min(n_processes, len(indices)), recipe.unit, store.root) as pool:
        waiting: deque[tuple[Future[NDArray[Any]], int]] = deque()
        for index in indices:
            waiting.append((pool.submit(_crossings, recipe, index, store), index))
            if len(waiting) > n_processes:
                task, oldest = waiting.popleft()
                yield task.result(), oldest
        for task, oldest in waiting:
            yield task.result(), oldest


def _crossings(recipe: CrossingRecipe, index: int, store: Store) -> NDArray[Any]:
    return recipe.make(recipe.further(index), store).x
