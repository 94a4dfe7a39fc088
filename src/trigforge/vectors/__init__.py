"""Test vectors as firmware test benches play and capture them.

``RawTensor -> files -> RawTensor``, and ``expected, captured -> VectorComparison``. ``packets``
puts events on links, ``formats`` writes and reads files, ``comparison`` compares them.
"""

from trigforge.vectors.comparison import (
    VectorComparison,
    VectorDifference,
    compare,
    compare_files,
)
from trigforge.vectors.folder import (
    Interface,
    VectorFile,
    VectorFolder,
    assemble,
    require_replaceable,
    write,
)
from trigforge.vectors.formats import (
    EVENT_WRITERS,
    FRAME_WRITERS,
    Captured,
    VectorFormat,
    parse,
    read,
)
from trigforge.vectors.frames import Flag, Frames
from trigforge.vectors.index import Described
from trigforge.vectors.packets import Layout, plan, require_section, to_events, to_frames

__all__ = [
    "EVENT_WRITERS",
    "FRAME_WRITERS",
    "Captured",
    "Described",
    "Flag",
    "Frames",
    "Interface",
    "Layout",
    "VectorComparison",
    "VectorDifference",
    "VectorFile",
    "VectorFolder",
    "VectorFormat",
    "assemble",
    "compare",
    "compare_files",
    "parse",
    "plan",
    "read",
    "require_replaceable",
    "require_section",
    "to_events",
    "to_frames",
    "write",
]
