"""Distributed arithmetic: ``FixedPointGraph -> Design``, fully unrolled, by alkaid.

Every constant multiplication becomes shifts and adders that outputs share; the logic is cut
into pipeline stages, and a new event enters every cycle. ``tracing`` replays the graph,
``generation`` writes RTL.
"""

from trigforge.rtl.da.generation import estimated_lut, generate, stage_delay_units

__all__ = ["estimated_lut", "generate", "stage_delay_units"]
