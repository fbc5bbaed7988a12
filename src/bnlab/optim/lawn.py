"""LAWN: an optimizer whose steps leave the norms of the weights alone after a free phase."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

from bnlab.arguments import checked
from bnlab.optim.constrained import tangent


class LAWN(Optimizer):
    r"""Logit Attenuating Weight Normalization, around any optimizer of torch.

    For ``free_steps`` steps it is the base optimizer, bit for bit. Then the norm c = ||w|| of each
    constrained tensor is frozen, and each step, with u = w / ||w||,

        g <- g - (g . u) u                     the gradient, before the base optimizer sees it
        dw = what the base optimizer would add to w
        dw <- dw - (dw . u) u                  Adam's scaling leaves the tangent space
        w <- c (w + dw) / ||w + dw||           back to the sphere

    All other parameters take the base optimizer's steps. The gradients of the constrained tensors
    are projected in place. Learning-rate schedulers work: both share the parameter groups.

    Source: Gupta et al. 2021, arXiv 2108.05839. No official code is known to compare with: one norm
    a tensor, and the second projection for bases that scale coordinates, are choices made here. The
    paper counts the free phase in epochs, and has no weight decay.

    Args:
        base: an optimizer; its parameters include the constrained ones, without weight decay.
        constrained: tensors whose norms will be constrained, such as ``constrained_weights(net)``.
        free_steps: steps before the norms are frozen; None for ever.

    Raises:
        ValueError: for a bad ``free_steps``, a constrained tensor that the base does not optimize,
            or optimizes with weight decay (it would do nothing once the norms are constrained), or
            nothing to constrain. In the first constrained step: for a tensor of zeros.
        TypeError: if ``base`` is no optimizer.

    Example:
        >>> from bnlab.optim import constrained_weights
        >>> net = torch.nn.Linear(2, 1)
        >>> base = torch.optim.SGD(net.parameters(), lr=0.1)
        >>> optimizer = LAWN(base, constrained_weights(net), free_steps=100)
        >>> optimizer.phase
        'free'
    """

    @checked
    def __init__(
        self, base: Optimizer, constrained: Iterable[Tensor], free_steps: int | None
    ) -> None:
        if not isinstance(base, Optimizer):
            raise TypeError(f"base must be an optimizer of torch, got {type(base).__name__}.")
        is_count = isinstance(free_steps, int) and not isinstance(free_steps, bool)
        if free_steps is not None and not (is_count and free_steps >= 0):
            raise ValueError(
                f"free_steps must be zero, a positive integer or None, got {free_steps!r}."
            )
        self.base = base
        self.free_steps = free_steps
        self.steps = 0
        self.norms: list[float] | None = None  # c, one a constrained tensor, once frozen
        self.constrained = list({id(weight): weight for weight in constrained}.values())
        self._is_loaded = False
        self._check_constrained()
        super().__init__(base.param_groups, base.defaults)
        self._share()

    def _check_constrained(self) -> None:
        group_of = {id(p): group for group in self.base.param_groups for p in group["params"]}
        if not self.constrained:
            raise ValueError("constrained is empty: give the tensors whose norms shall stay.")
        for number, weight in enumerate(self.constrained):
            if id(weight) not in group_of:
                raise ValueError(
                    f"constrained tensor number {number}, shape {tuple(weight.shape)}, is not "
                    "among the parameters of the base optimizer."
                )
            if group_of[id(weight)].get("weight_decay", 0) != 0:
                raise ValueError(
                    "LAWN stands in for weight decay: set weight_decay=0 for the parameter group "
                    "of the constrained tensors (the others may keep theirs)."
                )

    def _share(self) -> None:
        # The base's own groups and state, so that schedulers and zero_grad reach them.
        self.param_groups, self.state = self.base.param_groups, self.base.state

    @property
    def phase(self) -> str:
        """Phase of the next step: ``free`` or ``constrained``."""
        free = self.free_steps is None or self.steps < self.free_steps
        return "free" if free else "constrained"

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Take one step, free or constrained; give the closure's loss if there is one."""
        self._share()  # a state that was loaded into the base itself has made new groups
        take = self.base.step if self.phase == "free" else self._constrained_step
        loss = take(closure)
        self.steps += 1
        return loss

    def _constrained_step(self, closure: Callable[[], Tensor] | None) -> Tensor | None:
        if self.norms is None:
            self.norms = self._freeze()
        elif self._is_loaded:
            self._compare_norms()
        self._is_loaded = False
        if closure is None:
            self._project_gradients()
            projected = None
        else:

            def projected() -> Tensor:
                loss = closure()
                self._project_gradients()
                return loss

        before = [weight.detach().clone() for weight in self.constrained]
        loss = self.base.step(projected)
        with torch.no_grad():
            for weight, old, norm in zip(self.constrained, before, self.norms, strict=True):
                if weight.grad is not None:  # else it was not trained in this step
                    new = old + tangent(weight - old, old)
                    weight.copy_(new * (norm / torch.linalg.vector_norm(new)))
        return loss

    def _freeze(self) -> list[float]:
        norms = [torch.linalg.vector_norm(w.detach().double()).item() for w in self.constrained]
        for number, (weight, norm) in enumerate(zip(self.constrained, norms, strict=True)):
            if not 0 < norm < math.inf:
                raise ValueError(
                    f"constrained tensor number {number}, shape {tuple(weight.shape)}, has norm "
                    f"{norm}: it has no direction to constrain. Use a longer free phase, or do not "
                    "constrain it."
                )
        return norms

    def _compare_norms(self) -> None:
        for number, (weight, norm) in enumerate(zip(self.constrained, self.norms, strict=True)):
            now = torch.linalg.vector_norm(weight.detach().double()).item()
            if not abs(now - norm) <= 0.02 * norm:
                raise ValueError(
                    f"constrained tensor number {number}, shape {tuple(weight.shape)}, has norm "
                    f"{now:.4g}, and the state that was loaded froze it at {norm:.4g}. Load the "
                    "state of the model that belongs to it too."
                )

    @torch.no_grad()
    def _project_gradients(self) -> None:
        for number, weight in enumerate(self.constrained):
            if weight.grad is not None and weight.grad.is_sparse:
                raise ValueError(
                    f"constrained tensor number {number}, shape {tuple(weight.shape)}, has a "
                    "sparse gradient, which cannot be projected. Use sparse=False, or do not "
                    "constrain it."
                )
            if weight.grad is not None:
                weight.grad.copy_(tangent(weight.grad, weight))

    def add_param_group(self, param_group: dict[str, object]) -> None:
        """Add a group to the base optimizer; its parameters are not constrained."""
        known = [group for group in self.base.param_groups if group is param_group]
        if known:  # called from Optimizer.__init__
            super().add_param_group(param_group)
        else:
            self.base.add_param_group(param_group)

    def state_dict(self) -> dict[str, object]:
        """The base optimizer's state, the number of steps, and the frozen norms."""
        norms = None if self.norms is None else list(self.norms)
        return {"base": self.base.state_dict(), "steps": self.steps, "norms": norms}

    def load_state_dict(self, state_dict: dict[str, object]) -> None:
        """Load what ``state_dict`` gave, for the same model, base and constrained tensors.

        Raises:
            ValueError: if it is not from a LAWN, or from one with other tensors.
        """
        missing = {"base", "steps", "norms"} - set(state_dict)
        if missing:
            raise ValueError(
                f"this state has no {', '.join(sorted(missing))}: it is not that of a LAWN. "
                "Load the state of a plain optimizer into optimizer.base."
            )
        norms = state_dict["norms"]
        if norms is not None and len(norms) != len(self.constrained):
            raise ValueError(
                f"this state has {len(norms)} constrained tensors, "
                f"this LAWN {len(self.constrained)}."
            )
        self.base.load_state_dict(state_dict["base"])
        self.steps, self.norms = state_dict["steps"], None if norms is None else list(norms)
        self._is_loaded = True
        self._share()
        self._check_constrained()

    def __getstate__(self) -> dict[str, object]:
        names = ("base", "free_steps", "steps", "norms", "constrained")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, object]) -> None:
        base = state["base"]
        super().__setstate__(
            {"defaults": base.defaults, "state": base.state, "param_groups": base.param_groups}
        )
        self.__dict__.update(state)
        self._is_loaded = False

    def __repr__(self) -> str:
        return f"LAWN({self.base!r}, {len(self.constrained)} tensors, {self.free_steps=})"
