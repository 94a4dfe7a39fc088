"""Give a float model formats: ``(network as a function of formats, events) -> Calibration``.

Post-training quantisation. Integer bits follow from the ranges seen on the user's events,
widened by a margin. Fractional bits follow from what the outputs may lose: first one width
for all tensors is searched, then each tensor, the most costly first, is narrowed as far as
the tolerance allows. Every candidate is converted by hls4ml and evaluated exactly: what is
measured is the firmware.
"""

from trigforge.calibration.search import Problem, calibrate

__all__ = ["Problem", "calibrate"]
