"""The schedule explorer: visits every schedule of a model and says holds, broken or unfinished."""

from tenure.explore.bounds import Bounds
from tenure.explore.explorer import explore
from tenure.explore.fitness import UnfitModel
from tenure.explore.model import Drawing, Drawn, Edge, Footprint, Footprinted, Model, Node, Parted, Step, Symmetric
from tenure.explore.sampling import sample
from tenure.explore.schedule import Move, Schedule, UnreadableSchedule
from tenure.explore.story import Moment, Story, replay
from tenure.explore.verdict import Answer, Effort, Outcome, Verdict

__all__ = [
    "Answer",
    "Bounds",
    "Drawing",
    "Drawn",
    "Edge",
    "Effort",
    "Footprint",
    "Footprinted",
    "Model",
    "Moment",
    "Move",
    "Node",
    "Outcome",
    "Parted",
    "Schedule",
    "Step",
    "Story",
    "Symmetric",
    "UnfitModel",
    "UnreadableSchedule",
    "Verdict",
    "explore",
    "replay",
    "sample",
]
