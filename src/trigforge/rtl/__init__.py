"""RTL: ``FixedPointGraph -> Design -> Firmware``.

``da`` generates distributed arithmetic, ``timemux`` time-multiplexed multipliers; ``folder``
makes a folder of a design and reads it.
"""

from trigforge.rtl.folder import assemble, find, read, read_graph, read_schedule, write

__all__ = ["assemble", "find", "read", "read_graph", "read_schedule", "write"]
