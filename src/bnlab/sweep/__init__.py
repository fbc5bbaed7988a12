"""Many runs at once: in this process, in several, or on a cluster; killed, it goes on."""

from bnlab.sweep.collect import collect
from bnlab.sweep.executors import processes
from bnlab.sweep.failures import Failure, OtherCodeError, SweepError, SweepStoppedError
from bnlab.sweep.histories import computes, sweep, train_each
from bnlab.sweep.tasks import Code

__all__ = [
    "Code",
    "Failure",
    "OtherCodeError",
    "SweepError",
    "SweepStoppedError",
    "collect",
    "computes",
    "processes",
    "sweep",
    "train_each",
]
