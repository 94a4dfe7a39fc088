"""Time-multiplexed RTL: ``FixedPointGraph -> Design``; each multiplier works in every cycle.

A new event enters every interval, and its latency is fixed: there is one counter, no handshake.
``scheduler`` gives every product a multiplier and a cycle (``folding``), ``emission`` writes
instances of the hand-written modules in ``library``.
"""

from trigforge.rtl.timemux.generation import digest, generate

__all__ = ["digest", "generate"]
