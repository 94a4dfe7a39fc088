"""Random ports, links sections and events, and small fixed ones."""

from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from trigforge import vectors
from trigforge.core.config.links import Links
from trigforge.core.fixed_point import FixedPointFormat, parse_format
from trigforge.core.records import Port, RawTensor
from trigforge.vectors import FRAME_WRITERS, Frames, VectorFormat

HERE = Path("file.txt")
FRAME_FORMATS = tuple(FRAME_WRITERS)

PORT = Port(name="logits", shape=(5,), format=parse_format("fixed<18,8>"))
"""90 bits: two words, output 3 in both (bits 54 to 71)."""
NAMES = ("gluon", "light_quark", "w", "z", "top")


def make_links(**changes) -> Links:
    values = {"inputs": [0], "outputs": [4], "frames_per_crossing": 8, **changes}
    return Links(**values)


def outputs_of(links: Links, port: Port = PORT) -> vectors.Described:
    return vectors.Described(port=port, links=links, names=NAMES)


def make_events(port: Port, n_events: int, seed: int = 1) -> RawTensor:
    random = np.random.default_rng(seed)
    fmt = port.format
    raw = random.integers(
        fmt.raw_min, fmt.raw_max, size=(n_events, port.n_elements), endpoint=True, dtype=fmt.dtype
    )
    return RawTensor(format=fmt, raw=raw)


def make_frames(n_events: int = 4, links: Links | None = None) -> Frames:
    layout = vectors.plan(links or make_links(), PORT, "outputs")
    (frames,) = vectors.to_frames(layout, make_events(PORT, n_events), "board")
    return frames


def text_of(frames: Frames, vector_format: VectorFormat = VectorFormat.EMP2) -> str:
    return FRAME_WRITERS[vector_format](frames)


def parsed(text: str | bytes) -> vectors.Captured:
    return vectors.parse(text.encode() if isinstance(text, str) else text, HERE)


def edited(frames: Frames, *, words=None, flags=None) -> Frames:
    """Return frames with some words or flags changed: ``{(frame, column): value}``."""
    new_words, new_flags = frames.words.copy(), frames.flags.copy()
    for where, value in (words or {}).items():
        new_words[where] = value
    for where, value in (flags or {}).items():
        new_flags[where] = value
    return Frames(board=frames.board, links=frames.links, words=new_words, flags=new_flags)


def shifted(frames: Frames, n_frames: int) -> Frames:
    """Return frames that come so much later, idle before."""
    idle = ((n_frames, 0), (0, 0))
    flags = np.pad(frames.flags, idle, constant_values=np.uint8(vectors.Flag.STROBE))
    return Frames(
        board=frames.board, links=frames.links, words=np.pad(frames.words, idle), flags=flags
    )


def without_frame(frames: Frames, number: int) -> Frames:
    """Return frames of which one was lost."""
    kept = [frame for frame in range(len(frames.words)) if frame != number]
    return Frames(
        board=frames.board,
        links=frames.links,
        words=frames.words[kept],
        flags=frames.flags[kept],
    )


def same(one: Frames, other: Frames, flags: int = 63) -> bool:
    return (
        one.links == other.links
        and np.array_equal(one.words, other.words)
        and np.array_equal(one.flags & flags, other.flags & flags)
    )


@st.composite
def ports(draw) -> Port:
    width = draw(st.integers(1, 64))
    fmt = FixedPointFormat(draw(st.booleans()), width, draw(st.integers(-4, width + 4)))
    return Port(name="port", shape=(draw(st.integers(1, 40)),), format=fmt)


@st.composite
def links_sections(draw, port: Port) -> Links:
    """Draw a section into which events of the port fit."""
    n_words = -(-port.n_elements * port.format.width // 64)
    numbers = draw(st.lists(st.integers(0, 999), min_size=1, max_size=6, unique=True))
    packet_frames = -(-n_words // len(numbers))
    gap = draw(st.integers(0, 3))
    crossings = draw(st.integers(1, 6))
    per_crossing = -(-(packet_frames + gap) // crossings) + draw(st.integers(0, 2))
    window = per_crossing * crossings
    lead = draw(st.integers(0, 5))
    return make_links(
        outputs=numbers,
        frames_per_crossing=per_crossing,
        crossings_per_event=crossings,
        gap_frames=gap,
        lead_frames=lead,
        order=draw(st.sampled_from(["frame_major", "link_major"])),
        orbit_crossings=crossings * draw(st.integers(1, 5)),
        first_crossing=crossings * draw(st.integers(0, 5)),
        frames_per_file=min(1024, lead + window * draw(st.integers(1, 8))),
    )


@st.composite
def random_frames(draw, flags: int) -> Frames:
    """Draw frames with any words, and any of some flags."""
    links = tuple(draw(st.lists(st.integers(0, 999), min_size=1, max_size=4, unique=True)))
    n_frames = draw(st.integers(1, 12))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (n_frames, len(links))
    return Frames(
        board=draw(st.sampled_from(["x0", "jet_tagger", "serenity.c2c.vu13p"])),
        links=links,
        words=random.integers(0, 2**64, size=shape, dtype=np.uint64),
        flags=random.integers(0, 64, size=shape, dtype=np.uint8) & np.uint8(flags),
    )
