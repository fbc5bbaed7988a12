"""One training, from a Run to a History."""

from bnlab.train.history import DIVERGED, History, Step
from bnlab.train.loop import (
    Trainer,
    build,
    evaluate,
    make_device,
    make_trainer,
    threads,
    train,
    training,
    training_data,
)
from bnlab.train.optimizers import OPTIMIZERS, make_optimizer
from bnlab.train.run import Run

__all__ = [
    "DIVERGED",
    "OPTIMIZERS",
    "History",
    "Run",
    "Step",
    "Trainer",
    "build",
    "evaluate",
    "make_device",
    "make_optimizer",
    "make_trainer",
    "threads",
    "train",
    "training",
    "training_data",
]
