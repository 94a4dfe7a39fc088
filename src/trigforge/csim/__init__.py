"""Compile and run the C++ of an HLS project: ``HlsProject, Stimulus -> RawTensor``.

``program`` builds and runs projects written here, with the test bench they carry;
``foreign`` those that somebody else's hls4ml wrote, with a bench of its own; ``trace``
returns what every layer of either computed.
"""

from trigforge.csim.program import FLAGS, SIMULABLE_BACKENDS, build, is_built, run

__all__ = ["FLAGS", "SIMULABLE_BACKENDS", "build", "is_built", "run"]
