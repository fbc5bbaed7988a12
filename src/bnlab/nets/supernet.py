"""A weight-sharing supernet: each layer a choice of operations, each choice a subnet."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Sequence

from torch import Tensor, nn

from bnlab import random
from bnlab.arguments import checked, positive
from bnlab.nets.stages import stages
from bnlab.norms import make_norm

OPS = ("k3e3", "k3e6", "k5e3", "k5e6", "k7e3", "k7e6")  # BN-NAS's and SPOS's search space

Path = tuple[int, ...]


class MBConv(nn.Module):
    r"""Inverted residual block: 1x1 convolution, depthwise k x k, 1x1; each with a normalizer.

    y = norm3(project(relu(norm2(depthwise(relu(norm1(expand(x)))))))), plus x if the shape stays.
    ``norm3``, the last one, is what the BN indicator looks at.

    Source: Sandler et al. 2018 (MobileNetV2, arXiv 1801.04381), with ReLU for ReLU6.

    Args:
        fan_in: channels of x.
        width: channels of y.
        stride: of the depthwise convolution.
        kernel: its odd size.
        expand: inner channels are expand * fan_in.
        norm: a name for ``make_norm``.
        **options: options of the normalizer.

    Shape:
        (N, fan_in, H, W) -> (N, width, ceil(H / stride), ceil(W / stride)).
    """

    def __init__(
        self,
        fan_in: int,
        width: int,
        stride: int,
        kernel: int,
        expand: int,
        norm: str,
        **options: object,
    ) -> None:
        super().__init__()
        inner = expand * fan_in
        self.expand = nn.Conv2d(fan_in, inner, 1, bias=False)
        self.norm1 = make_norm(norm, inner, **options)
        self.depthwise = nn.Conv2d(
            inner, inner, kernel, stride, kernel // 2, groups=inner, bias=False
        )
        self.norm2 = make_norm(norm, inner, **options)
        self.project = nn.Conv2d(inner, width, 1, bias=False)
        self.norm3 = make_norm(norm, width, **options)
        self.residual = stride == 1 and fan_in == width

    def forward(self, x: Tensor) -> Tensor:
        """Compute the output of the block."""
        y = self.norm1(self.expand(x)).relu()
        y = self.norm2(self.depthwise(y)).relu()
        y = self.norm3(self.project(y))
        return x + y if self.residual else y


def make_op(
    name: str, fan_in: int, width: int, stride: int, norm: str, **options: object
) -> nn.Module:
    """The operation called ``name``: ``identity``, or ``k3e6`` for MBConv with kernel 3, expand 6.

    Raises:
        ValueError: for another name.
    """
    if name == "identity":
        return nn.Identity()
    match = re.fullmatch(r"k(\d*[13579])e([1-9]\d*)", str(name))
    if match is None:
        raise ValueError(
            f"unknown operation {name!r}: take 'identity' or a name such as 'k3e6' (odd kernel 3, "
            "expansion 6)."
        )
    kernel, expand = map(int, match.groups())
    return MBConv(fan_in, width, stride, kernel, expand, norm, **options)


class Supernet(nn.Module):
    r"""3x3 convolution, normalizer, ReLU; ``depth`` choice blocks; average pooling; linear.

    A path is a tuple with the number of one operation for each choice block. ``forward`` computes
    that subnet alone, with weights that all paths share: one training step on a path drawn by
    ``sample`` touches what lies on it, nothing else. The space has prod(len(ops)) subnets. Blocks
    that change the shape offer all operations but ``identity``.

    Source: Guo et al. 2020 (SPOS, arXiv 1904.00420); the space of Chen et al. 2021
    (BN-NAS, arXiv 2108.07375), whose official code fixes some of its 21 layers to the identity;
    here depth and width are free, and first weights are He's, from ``initialize``.

    Args:
        image_shape: (C, H, W), 8 x 8 or 32 x 32 pixels or any other size.
        num_classes: number of outputs.
        depth: choice blocks.
        width: channels of the stem and the first stage; see ``stages``.
        norm: a name for ``make_norm``.
        ops: names of the operations, see ``make_op``.
        **options: options of the normalizer.

    Shape:
        (N, C, H, W) -> logits (N, num_classes).

    Raises:
        ValueError: for an unknown operation, a repeated one, none at all, or a path that is not
            one of this net.
    """

    @checked
    def __init__(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        depth: int,
        width: int,
        norm: str = "batch",
        *,
        ops: Sequence[str] = OPS,
        **options: object,
    ) -> None:
        super().__init__()
        positive(num_classes=num_classes, width=width)
        if isinstance(ops, str) or not ops or len(set(ops)) < len(ops):
            raise ValueError(f"ops must be a list of different operations, got {ops!r}.")
        stem = nn.Conv2d(image_shape[0], width, 3, padding=1, bias=False)
        self.stem = nn.Sequential(stem, make_norm(norm, width, **options), nn.ReLU())
        self.choices = nn.ModuleList()
        self.names: list[tuple[str, ...]] = []
        channels = width
        for out, stride in stages(image_shape[1], depth, width):
            same = stride == 1 and channels == out
            names = tuple(name for name in ops if same or name != "identity")
            if not names:
                raise ValueError("a block that changes the shape needs another operation: add one.")
            made = [make_op(name, channels, out, stride, norm, **options) for name in names]
            self.choices.append(nn.ModuleList(made))
            self.names.append(names)
            channels = out
        self.head = nn.Linear(channels, num_classes)
        self.path: Path = (0,) * depth

    def check_path(self, path: Sequence[int]) -> Path:
        """Return ``path`` as a tuple.

        Raises:
            ValueError: unless it has one number for each choice block, in its range.
        """
        sizes = [len(choice) for choice in self.choices]
        path = tuple(path) if isinstance(path, Sequence) else (path,)
        fits = len(path) == len(sizes) and all(
            isinstance(op, int) and not isinstance(op, bool) and 0 <= op < size
            for op, size in zip(path, sizes, strict=True)
        )
        if not fits:
            raise ValueError(
                f"a path of this net has {len(sizes)} integers, each from 0 and below {sizes}, "
                f"got {path}."
            )
        return path

    def sample(self, seed: int, step: int) -> Path:
        """A path drawn uniformly: the one of this training step.

        From the counter-based generator: the same on every machine, whatever was drawn before.

        Args:
            seed: which sequence of paths.
            step: 0, 1, 2, ...; each has its own path.
        """
        depth = len(self.choices)
        numbers = random.bits(seed, random.PATHS, depth, start=step * depth)
        return tuple(
            int(bits) % len(choice) for bits, choice in zip(numbers, self.choices, strict=True)
        )

    def paths(self) -> itertools.product:
        """All paths, in order; there may be very many."""
        return itertools.product(*(range(len(choice)) for choice in self.choices))

    def named(self, path: Sequence[int]) -> tuple[str, ...]:
        """The names of the operations on a path."""
        return tuple(names[op] for names, op in zip(self.names, self.check_path(path), strict=True))

    def forward(self, x: Tensor, path: Sequence[int] | None = None) -> Tensor:
        """Logits of a batch of images, by the subnet on ``path`` (None: by that on ``self.path``).

        The attribute ``path`` serves code that calls ``net(x)``; it starts as the first operations.
        """
        path = self.check_path(self.path if path is None else path)
        x = self.stem(x)
        for choice, op in zip(self.choices, path, strict=True):
            x = choice[op](x)
        return self.head(x.mean((2, 3)))

    def subnet(self, path: Sequence[int]) -> Supernet:
        """A copy of the subnet on ``path``, which shares nothing with this net.

        It is a supernet with one operation a block, so that it can be trained alone, recalibrated
        and counted by the same functions.
        """
        path = self.check_path(path)
        alone = copy.deepcopy(self)
        alone.names = [(name,) for name in self.named(path)]
        alone.choices = nn.ModuleList(
            nn.ModuleList([choice[op]]) for choice, op in zip(alone.choices, path, strict=True)
        )
        alone.path = (0,) * len(path)
        return alone
