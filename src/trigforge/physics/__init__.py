"""What a network is worth: figures of merit, and what a trigger with it would accept.

``outputs, labels -> Metrics`` (``quality``), ``outputs, labels, Trigger -> TriggerPhysics``
(``study``). Scores are counted exactly (``counts``), so that any number of events takes
constant memory; what is made of the counts is in ``areas``, ``curves`` and ``losses``, its
uncertainties in ``intervals``.
"""

from trigforge.physics.counts import ScoreCounts
from trigforge.physics.deviation import check_distance, distance
from trigforge.physics.discriminants import Discriminant, discriminants
from trigforge.physics.lots import LotCounts
from trigforge.physics.quality import check, measure
from trigforge.physics.study import HeldOut, Outputs, check_efficiency, count_study, study

__all__ = [
    "Discriminant",
    "HeldOut",
    "LotCounts",
    "Outputs",
    "ScoreCounts",
    "check",
    "check_distance",
    "check_efficiency",
    "count_study",
    "discriminants",
    "distance",
    "measure",
    "study",
]
