"""What a network is worth: figures of merit, and what a trigger with it would accept.

``outputs, labels -> Metrics`` (``quality``), ``outputs, labels, Trigger -> TriggerPhysics``
(``study``). Scores are counted exactly (``counts``), so that any number of events takes
constant memory; what is made of the counts is in ``areas``, ``curves`` and ``losses``, its
uncertainties in ``intervals``.
"""

from trigforge.physics.counts import ScoreCounts
from trigforge.physics.deviation import distance
from trigforge.physics.discriminants import Discriminant, discriminants
from trigforge.physics.lots import LotCounts
from trigforge.physics.quality import measure
from trigforge.physics.study import HeldOut, Outputs, count_study, study
from trigforge.physics.verdict import checks

__all__ = [
    "Discriminant",
    "HeldOut",
    "LotCounts",
    "Outputs",
    "ScoreCounts",
    "checks",
    "count_study",
    "discriminants",
    "distance",
    "measure",
    "study",
]
