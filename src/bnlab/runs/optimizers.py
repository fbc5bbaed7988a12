"""The optimizers that a Run can name."""

from __future__ import annotations

import torch
from torch import nn

from bnlab.arguments import checked, require
from bnlab.errors import check_name, check_number, unknown
from bnlab.nets.scalars import Scale, Shift
from bnlab.optim import LAWN, constrained_weights
from bnlab.optim.parts import DECAY, TRAINED, names_of

BASES: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
}
PARTS = {"decay": DECAY, "trained": TRAINED}
"""Options that name a part of the net, see ``bnlab.optim.parts``; ``all`` changes nothing."""

OPTIONS = {
    "sgd": ("momentum", "weight_decay", "dampening", "nesterov", "scalar_lr", *PARTS),
    "adam": ("betas", "eps", "weight_decay", "scalar_lr", *PARTS),
    # Without weight decay, which would do nothing once the norms are constrained.
    "lawn_sgd": ("momentum", "dampening", "nesterov", "free_steps", "part"),
    "lawn_adam": ("betas", "eps", "free_steps", "part"),
}
OPTIMIZERS = tuple(OPTIONS)


def check_optimizer(name: str, options: dict[str, object]) -> None:
    """Raise a clear error for an unknown optimizer or option."""
    check_name("optimizer", name, OPTIMIZERS)
    for option in options:
        if option not in OPTIONS[name]:
            raise ValueError(unknown(f"option of optimizer {name!r}:", option, OPTIONS[name]))
    for option, parts in PARTS.items():
        check_name(option, options.get(option, "all"), parts)


def by_parts(options: dict[str, object]) -> tuple[str, str]:
    """What the weight decay acts on, and what is trained, as the options of an optimizer say."""
    return options.get("decay", "all"), options.get("trained", "all")


@checked
def make_optimizer(
    name: str, net: nn.Module, lr: float, **options: object
) -> torch.optim.Optimizer:
    """The optimizer called ``name`` for all parameters of ``net``.

    Args:
        name: ``sgd`` or ``adam``, torch's own; ``lawn_sgd`` or ``lawn_adam``, the same inside
            ``LAWN``.
        net: any module.
        lr: learning rate.
        **options: of torch's optimizer, and ``scalar_lr``: the learning rate of the net's learnable
            scalars (``Scale``, ``Shift``), as a factor of ``lr``. Fixup's official code trains its
            scalars, and the classifier's bias, at a tenth of the rate. ``decay`` says what the
            weight decay acts on (``all``, ``weights`` or ``gamma``) and ``trained`` what is moved
            at all (``all``, ``layers`` without the normalizers, or the ``head``), see
            ``bnlab.optim.parts``. For LAWN ``free_steps``, how
            many steps come before the norms are constrained (0), and ``part`` of
            ``constrained_weights`` ("all").

    Raises:
        ValueError: for an unknown name or option, or a bad value.
    """
    check_optimizer(name, options)
    require(lr >= 0, f"lr must be 0 or more, got {lr}.")
    if name in BASES:
        factor, parts = options.pop("scalar_lr", None), by_parts(options)
        options = {name: value for name, value in options.items() if name not in PARTS}
        parameters = net.parameters() if factor is None else _groups(net, lr, factor)
        if parts != ("all", "all"):
            require(factor is None, "scalar_lr goes with decay='all' and trained='all' alone.")
            parameters = _by_parts(net, *parts)
        return BASES[name](parameters, lr=lr, **options)
    free_steps, part = options.pop("free_steps", 0), options.pop("part", "all")
    base = BASES[name.removeprefix("lawn_")](net.parameters(), lr=lr, **options)
    return LAWN(base, constrained_weights(net, part), free_steps)


def _by_parts(net: nn.Module, decay: str, trained: str) -> list[dict[str, object]]:
    decayed, moved = names_of(net, decay), set(names_of(net, trained))
    named = {name: p for name, p in net.named_parameters() if name in moved}
    first = [p for name, p in named.items() if name in decayed]
    others = [p for name, p in named.items() if name not in decayed]
    groups = [{"params": first}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _groups(net: nn.Module, lr: float, factor: float) -> list[dict[str, object]]:
    check_number("scalar_lr", factor, 0)
    owners = [module for module in net.modules() if isinstance(module, Scale | Shift)]
    scalars = [parameter for owner in owners for parameter in owner.parameters()]
    if not scalars:
        raise ValueError(
            f"scalar_lr={factor} has nothing to act on: this {type(net).__name__} has no learnable "
            "scalars (those of Fixup, SkipInit and MimicNorm). Leave it out."
        )
    own = {id(parameter) for parameter in scalars}
    others = [parameter for parameter in net.parameters() if id(parameter) not in own]
    return [{"params": others}, {"params": scalars, "lr": factor * lr}]
