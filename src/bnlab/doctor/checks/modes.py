"""Modes and momentum: what is frozen and moves (T3), what should move and does not."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from bnlab.doctor.case import Case
from bnlab.doctor.code import for_each, recompute
from bnlab.doctor.finding import LOOK, NOTE, WRONG, Finding, named
from bnlab.doctor.layers import Norm

OTHER_CONVENTION = 0.5
"""From here on a momentum looks like TensorFlow's, which is 1 minus PyTorch's."""


def check_frozen(case: Case) -> Iterator[Finding]:
    """``requires_grad=False`` does not stop running statistics."""
    frozen = [norm for norm in case.in_training(tracking=True) if _is_frozen(case, norm)]
    moving = [norm for norm in frozen if norm.momentum != 0]
    if not moving:
        return
    layers = tuple(norm.name for norm in moving)
    given = case.model.training
    yield Finding(
        "frozen-not-frozen",
        WRONG if given else NOTE,
        layers,
        f"Weight and bias of {named(layers)} are frozen, but in training mode the layers still "
        "normalize with the batch's statistics, and the running ones move with each forward "
        f"pass{'' if given else ': so they will after model.train()'}.",
        "Put frozen BatchNorm in evaluation mode, again after each model.train().",
        for_each(moving, "layer.eval()"),
        {"layers": len(moving)},
    )


def _is_frozen(case: Case, norm: Norm) -> bool:
    """Whether nothing of the normalizer is trained: frozen, or in no optimizer."""
    own = list(norm.parameters.values())
    if not own:  # without weight and bias it goes with the module that it is in
        own = list(case.model.get_submodule(norm.name.rpartition(".")[0]).parameters())
    return bool(own) and not any(parameter.requires_grad for parameter in own)


def check_left_in_training(case: Case) -> Iterator[Finding]:
    """Training mode where evaluation mode was meant."""
    meant = case.told.evaluating or not case.model.training
    left = [norm for norm in case.norms if norm.of_batch and norm.module.training]
    dropouts = [
        name
        for name, module in case.model.named_modules()
        if isinstance(module, nn.modules.dropout._DropoutNd) and module.training and module.p
    ]
    layers = (*(norm.name for norm in left), *(dropouts if case.told.evaluating else ()))
    if not meant or not layers:
        return
    whole = "the model is being evaluated" if case.told.evaluating else "the model is not"
    yield Finding(
        "left-in-train-mode",
        WRONG,
        layers,
        f"{named(layers)} {'is' if len(layers) == 1 else 'are'} in training mode, although "
        f"{whole}: outputs depend on the other samples of the batch or on chance, and running "
        "statistics move.",
        "Call model.eval() before the evaluation, and model.train() after it.",
        "model.eval()",
        {"layers": len(layers)},
    )


def check_momentum(case: Case) -> Iterator[Finding]:
    """A momentum of 0 or 1, or one of the other convention."""
    norms = [norm for norm in case.in_training(tracking=True) if norm.momentum is not None]
    still = [norm for norm in norms if norm.momentum == 0]
    if still:
        layers = tuple(norm.name for norm in still)
        yield Finding(
            "momentum-zero",
            WRONG,
            layers,
            f"The momentum of {named(layers)} is 0: in training mode the running statistics never "
            "move, and evaluation mode uses those that were there at first.",
            "Give it torch's default, and compute the statistics anew. To freeze a layer, put it "
            "in evaluation mode instead.",
            for_each(still, "layer.momentum = 0.1") + f"\n{recompute(still, case.batch.by_name)}",
            {"momentum": 0.0},
        )
    last = [norm for norm in norms if norm.momentum == 1]
    if last:
        yield _forgets(
            "momentum-one", LOOK, last, "its running statistics are those of the last batch alone"
        )
    large = [norm for norm in norms if OTHER_CONVENTION < norm.momentum < 1]
    if large:
        yield _forgets(
            "momentum-large",
            NOTE,
            large,
            "its running statistics are mostly those of the last batch. In PyTorch, momentum is "
            "the weight of the newest batch, 1 minus that of TensorFlow and Keras",
        )


def _forgets(name: str, severity: str, norms: list[Norm], what: str) -> Finding:
    layers = tuple(norm.name for norm in norms)
    momentum = max(norm.momentum for norm in norms)
    return Finding(
        name,
        severity,
        layers,
        f"The momentum of {named(layers)} is {momentum:g}: {what}.",
        "Give it torch's default.",
        for_each(norms, "layer.momentum = 0.1"),
        {"momentum": momentum},
    )
