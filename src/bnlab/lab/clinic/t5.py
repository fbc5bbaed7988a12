"""T5: on what weight decay acts: nothing, everything, gamma alone, the weights alone."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from bnlab.chapters.clinic import t5_decay
from bnlab.lab.clinic.card import Card, State, look
from bnlab.lab.clinic.lanes import lane
from bnlab.lab.kit.points import EVALUATE_EVERY, in_turns
from bnlab.lab.kit.widget import Content
from bnlab.optim.parts import names_of
from bnlab.train import Engine, Run, Step

SEEDS = t5_decay.SEEDS[:4]
ARMS = {"undecayed": "none", "all": "all", "gamma": "gamma", "weights": "weights"}
"""The arm of the evidence for each curve; all are trained at ``SAME_RATE``."""


def t5_trainings(state: State, engine: str = "torch") -> Iterator[Content]:
    """What is new about a net without decay, one with the decay of ``state``, and one repaired.

    New are ``loss``, validation ``accuracy``, the ``length`` of the weights, the effective ``rate``
    and the mean ``gamma``; see ``Card``.
    """
    names = ["undecayed", state["decay"], *(["weights"] if state["repaired"] else [])]
    runs = {name: decay_run(name, state["seed"]) for name in names}
    return in_turns({name: lane(run, engine, _look) for name, run in runs.items()})


def decay_run(name: str, seed: int) -> Run:
    """The Run of a curve, a key of ``ARMS``."""
    options = t5_decay.ARMS[ARMS[name]]
    return t5_decay.BASE.replace(
        lr=t5_decay.SAME_RATE, optimizer_options=options, seed=seed, eval_every=EVALUATE_EVERY
    )


def _look(trainer: Engine, record: Step) -> dict[str, object]:
    length, gamma = length_and_gamma(trainer.net)
    numbers = {
        "accuracy": record.val_accuracy,
        "length": length,
        "rate": trainer.run.lr / length**2,
        "gamma": gamma,
    }
    return {key: [[record.step, value]] for key, value in numbers.items()}


def length_and_gamma(net: nn.Module) -> tuple[float, float]:
    """The geometric mean of ||w|| over the hidden layers, and the mean gamma."""
    named = dict(net.named_parameters())
    head = names_of(net, "head")
    hidden = [name for name in names_of(net, "weights") if name not in head]
    norms = torch.stack([named[name].double().norm() for name in hidden])
    gammas = torch.stack([named[name].double().mean() for name in names_of(net, "gamma")])
    return norms.log().mean().exp().item(), gammas.mean().item()


CARD = Card(
    id="T5",
    title="Weight decay on gamma, beta and the biases",
    cause=(
        "The output does not depend on how long the weights before a BatchNorm are: decay makes "
        "them shorter, and the effective rate, learning rate over squared length, larger. It does "
        "depend on gamma, which decay makes smaller, and the last layer has to make up for that. "
        "So decay of gamma costs training loss; in small nets the accuracy hardly shows it."
    ),
    repair="Decay the weights alone",
    steps=t5_decay.STEPS,
    curves={
        "undecayed": look("none", "no decay", "no decay"),
        "all": look("layer", "everything", "decay of everything"),
        "gamma": look("batch_renorm", "γ alone", "decay of γ alone"),
        "weights": look("group", "weights", "decay of the weights alone"),
    },
    plots={
        "loss": {"title": "training loss", "scale": "loss"},
        "accuracy": {"title": "accuracy on new images", "scale": None},
        "length": {"title": "length of a layer’s weights", "scale": None},
        "rate": {"title": "effective rate (learning rate / length²)", "scale": None},
    },
    controls={
        "decay": {
            "label": f"weight decay of {t5_decay.DECAY} on",
            "stops": ("all", "gamma"),
            "words": ("everything", "γ alone"),
        }
    },
    first={"decay": "all"},
    seeds=SEEDS,
    trainings=t5_trainings,
)
