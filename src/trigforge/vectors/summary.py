"""What a comparison found, in lines for people: ``VectorComparison -> text``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trigforge.vectors.comparison import OutputDifference, VectorComparison, VectorDifference

N_SHOWN = 20
_WORDS = {
    "word": "another word",
    "filling": "bits are set beyond those of the event",
    "missing": "valid is expected, none captured",
    "surplus": "valid where idle is expected",
    "flags": "other flags",
    "value": "another value",
}


def describe(difference: VectorDifference) -> str:
    """Say in one line where something differs and how."""
    parts = []
    if difference.event is not None:
        parts.append(f"event {difference.event}")
    if difference.link is not None:
        frames = f"frame {difference.expected_frame}"
        if difference.captured_frame is not None:
            frames += f" (captured {difference.captured_frame})"
        parts += [f"link {difference.link}", frames]
    text = f"{', '.join(parts)}: {_what(difference)}"
    if difference.outputs:
        text += "; " + "; ".join(_output(entry) for entry in difference.outputs)
    return text


def summarise(comparison: VectorComparison) -> Iterator[str]:
    """Yield the first differences, a line for each link, and the result."""
    for difference in comparison.differences[:N_SHOWN]:
        yield describe(difference)
    n_more = comparison.n_different - len(comparison.differences[:N_SHOWN])
    if n_more > 0:
        yield f"and {n_more} more"
    for count in comparison.links:
        yield f"link {count.link}: {count.n_compared} frames compared, {count.n_different} differ"
    if comparison.links_ignored:
        yield f"captured links that nothing is expected of: {_numbers(comparison.links_ignored)}"
    if comparison.shift_frames is not None:
        yield f"captured {comparison.shift_frames} frames later than in the expected file"
    yield _result(comparison)


def _what(difference: VectorDifference) -> str:
    what = _WORDS[difference.kind]
    if difference.kind in {"missing", "surplus"} and difference.link is None:
        return "expected, not captured" if difference.kind == "missing" else "not expected"
    if difference.expected is not None and difference.captured is not None:
        return f"{what}: expected {difference.expected}, captured {difference.captured}"
    word = difference.expected or difference.captured
    return what if word is None else f"{what}: {word}"


def _output(entry: OutputDifference) -> str:
    captured = "not captured" if entry.captured is None else f"captured {entry.captured}"
    return f"output {entry.index} ({entry.name}): expected {entry.expected}, {captured}"


def _result(comparison: VectorComparison) -> str:
    what = "frames" if comparison.links else "events"
    text = f"{comparison.n_compared} {what} compared, {comparison.n_different} differ"
    if comparison.n_missing or comparison.n_surplus:
        text += f" ({comparison.n_missing} missing, {comparison.n_surplus} surplus)"
    if comparison.links and comparison.n_different_events:
        text += f", in {comparison.n_different_events} events"
    return text


def _numbers(links: tuple[int, ...]) -> str:
    return ", ".join(map(str, links))
