"""One training, from a Run to a History."""

from bnlab.engines.eager import Trainer
from bnlab.engines.engine import Engine
from bnlab.runs.build import build, make_device, threads, training_data
from bnlab.runs.evaluate import evaluate
from bnlab.runs.history import DIVERGED, History, Step
from bnlab.runs.optimizers import OPTIMIZERS, make_optimizer
from bnlab.runs.run import Run
from bnlab.train.many import train_many
from bnlab.train.single import make_trainer, train, training

__all__ = [
    "DIVERGED",
    "OPTIMIZERS",
    "Engine",
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
    "train_many",
    "training",
    "training_data",
]
