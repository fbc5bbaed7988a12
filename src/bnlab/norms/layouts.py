"""Adapters that let a normalizer of (N, C) and (N, C, H, W) serve other arrangements of axes."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class Adapter(nn.Module):
    """Base of the adapters: holds a normalizer as ``norm``, and loads the states of one too."""

    norm: nn.Module

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *more: object
    ) -> None:
        # A state from before the swap calls its tensors weight, not norm.weight.
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            if f"{prefix}{name}" in state_dict:
                state_dict[f"{prefix}norm.{name}"] = state_dict.pop(f"{prefix}{name}")
        super()._load_from_state_dict(state_dict, prefix, *more)


class ChannelsLast(Adapter):
    """Applies ``norm`` to the last axis: (*, C) is seen as (M, C), M = all other axes together.

    Each position is a sample of its own, as for ``torch.nn.LayerNorm(C)``: a token of (N, T, C) is
    normalized over its own channels by ``layer`` and ``rms``, and ``batch`` pools all N*T tokens.

    Args:
        norm: a normalizer of C channels on (N, C).

    Shape:
        (*, C), in and out.

    Raises:
        ValueError: if the last axis is not C.

    Example:
        >>> from bnlab.norms import make_norm
        >>> tokens = torch.tensor([[[1.0, 3.0], [10.0, 30.0]]])
        >>> ChannelsLast(make_norm("layer", 2, eps=0.0))(tokens).tolist()
        [[[-1.0, 1.0], [-1.0, 1.0]]]
    """

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Normalize ``x`` along its last axis."""
        channels = self.norm.num_features
        if x.ndim == 0 or x.shape[-1] != channels:
            raise ValueError(
                f"ChannelsLast was made for {channels} channels on the last axis, "
                f"got shape {tuple(x.shape)}."
            )
        return self.norm(x.reshape(-1, channels)).reshape(x.shape)


class Positions(Adapter):
    """Applies ``norm`` to any number of position axes: (N, C, *) is seen as (N, C, H, W).

    Normalizers treat all positions alike, so that a sequence (N, C, L) becomes (N, C, L, 1), and a
    volume (N, C, D, H, W) becomes (N, C, D, H*W). (N, C) and (N, C, H, W) pass as they are.

    Args:
        norm: a normalizer of C channels, on axis 1.
        axes: the numbers of axes to accept; None for any from 2 on. torch's InstanceNorm also takes
            a sample without its batch axis, which would be mistaken for a batch here.

    Shape:
        (N, C, *), in and out.

    Raises:
        ValueError: for another number of axes.

    Example:
        >>> from bnlab.norms import make_norm
        >>> sequence = torch.tensor([[[1.0, 3.0]]])
        >>> Positions(make_norm("instance", 1, eps=0.0))(sequence).tolist()
        [[[-1.0, 1.0]]]
    """

    def __init__(self, norm: nn.Module, axes: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.norm = norm
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        """Normalize ``x``, channels on axis 1."""
        if x.ndim < 2 or (self.axes is not None and x.ndim not in self.axes):
            accepted = "2 or more" if self.axes is None else " or ".join(map(str, self.axes))
            raise ValueError(
                f"this normalizer takes {accepted} axes, batch and channels first, "
                f"got shape {tuple(x.shape)}."
            )
        if x.ndim in (2, 4):
            return self.norm(x)
        as_image = x.unsqueeze(-1) if x.ndim == 3 else x.flatten(3)
        return self.norm(as_image).reshape(x.shape)

    def extra_repr(self) -> str:
        """The numbers of axes, where they are limited."""
        return "" if self.axes is None else f"axes={self.axes}"


class EachPosition(Adapter):
    """Applies ``norm`` along axis 1, at each position alone: (N, C, *) is seen as (M, C).

    Each position is a sample of its own, as for the ``LayerNorm2d`` of torchvision and timm.

    Args:
        norm: a normalizer of C channels on (N, C).

    Shape:
        (N, C, *), in and out.

    Raises:
        ValueError: if axis 1 is not C.

    Example:
        >>> from bnlab.norms import make_norm
        >>> image = torch.tensor([[[[1.0, 10.0]], [[3.0, 30.0]]]])
        >>> EachPosition(make_norm("layer", 2, eps=0.0))(image).flatten().tolist()
        [-1.0, -1.0, 1.0, 1.0]
    """

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Normalize ``x`` along axis 1."""
        channels = self.norm.num_features
        if x.ndim < 2 or x.shape[1] != channels:
            raise ValueError(
                f"EachPosition was made for {channels} channels on axis 1, "
                f"got shape {tuple(x.shape)}."
            )
        rows = x.movedim(1, -1)
        return self.norm(rows.reshape(-1, channels)).reshape(rows.shape).movedim(-1, 1)


class Followed(Adapter):
    """Applies ``norm`` and then other modules, as layers that normalize and activate do.

    Args:
        norm: a normalizer, or one in another adapter.
        after: dropout and activation, by the names that they have in the layer.

    Shape:
        as ``norm``.
    """

    def __init__(self, norm: nn.Module, after: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.norm = norm
        for name, module in after.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize ``x``, and what follows."""
        for module in self.children():
            x = module(x)
        return x
