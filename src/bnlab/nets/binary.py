"""A binary residual net: with normalizers, without, and with what BNN - BN puts in their place."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bnlab.arguments import checked, positive
from bnlab.errors import check_name, unknown
from bnlab.nets.binarize import FilterConv, RPReLU, RSign
from bnlab.nets.stages import stages
from bnlab.norms import make_norm

BRANCHES = ("plain", "bn_free")
WEIGHTS = ("binary", "real")
FIRST_WEIGHTS = ("centred", "positive")
VARIANCES = ("code", "nf_resnet")
POSITIVE = 1e-3  # the official code draws weights of binary layers between 0 and this


def expected_variances(
    transitions: list[bool], alpha: float = 0.2, rule: str = "code"
) -> list[float]:
    """The variance that each block of a BN-free net expects at its input.

    A block adds alpha^2 to the variance; a transition block, whose shortcut reads the input divided
    by its standard deviation, starts it anew.

    Args:
        transitions: whether each block is a transition, in order.
        alpha: factor of each branch.
        rule: ``nf_resnet``: 1 + alpha^2 after a transition (Brock, De and Smith 2021, arXiv
            2101.08692). ``code``: the official code of BNN - BN, where the first block of each
            stage, a transition or not, adds nothing, so that the rest of a stage lags by one.

    Raises:
        ValueError: for an unknown rule.

    Example:
        >>> expected_variances([False, False, True], alpha=1.0, rule="nf_resnet")
        [1.0, 2.0, 3.0]
        >>> expected_variances([False, False, True], alpha=1.0, rule="code")
        [1.0, 1.0, 2.0]
    """
    if rule not in VARIANCES:
        raise ValueError(unknown("rule for the variances", rule, VARIANCES))
    variances, now = [], 1.0
    for i, transition in enumerate(transitions):
        variances.append(now)
        if transition:
            now = 1.0
        if rule == "nf_resnet" or not (transition or i == 0):
            now += alpha**2
    return variances


class BinaryBlock(nn.Module):
    r"""y = rprelu(alpha * norm(conv(rsign(x / b))) + shortcut), one binary 3x3 convolution.

    b is the expected standard deviation of x. The shortcut is x itself; where the shape changes,
    the 2x2 average of x / b, a 1x1 convolution with filters of the same kind, and a normalizer.
    With alpha = 1, b = 1 it is ReActNet's block. A positive b cannot change the sign of x; it sets
    the size of x against the learned bias and the window of its gradient. Without a shortcut the
    block is y = rprelu(norm(conv(rsign(x)))), and all that the next block sees has been a sign.

    Source: Chen et al. 2021 (BNN - BN, arXiv 2104.08215), official code, where the variable
    ``beta`` is 1 / b.

    Args:
        fan_in: channels of x.
        width: channels of y.
        stride: 1 or 2.
        norm: a name for ``make_norm``.
        alpha: factor of the branch.
        variance: b squared.
        standardized: scaled weight standardization of the filters, with a gain.
        binary: binary filters; else only the activations are binary.
        scale: of binary filters, see ``FilterConv``.
        shortcut: whether there is one.
        **options: options of the normalizer.

    Shape:
        (N, fan_in, H, W) -> (N, width, ceil(H / stride), ceil(W / stride)).
    """

    def __init__(
        self,
        fan_in: int,
        width: int,
        stride: int,
        norm: str = "none",
        *,
        alpha: float = 1.0,
        variance: float = 1.0,
        standardized: bool = False,
        binary: bool = True,
        scale: str = "mean_abs",
        shortcut: bool = True,
        **options: object,
    ) -> None:
        super().__init__()
        kind = {"standardized": standardized, "binary": binary, "scale": scale}
        self.alpha, self.variance = alpha, variance
        self.sign = RSign(fan_in)
        self.conv = FilterConv(fan_in, width, 3, stride, **kind)
        self.norm = make_norm(norm, width, **options)
        self.has_shortcut, self.shortcut = shortcut, None
        if shortcut and (stride != 1 or fan_in != width):
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True),  # odd sizes as the convolution has them
                FilterConv(fan_in, width, 1, **kind),
                make_norm(norm, width, **options),
            )
        self.activation = RPReLU(width)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the output of the block."""
        scaled = x / math.sqrt(self.variance)
        branch = self.norm(self.conv(self.sign(scaled)))
        if not self.has_shortcut:
            return self.activation(self.alpha * branch)
        skip = x if self.shortcut is None else self.shortcut(scaled)
        return self.activation(self.alpha * branch + skip)

    def extra_repr(self) -> str:
        """The two factors, and whether there is a shortcut."""
        return f"alpha={self.alpha}, variance={self.variance:.4g}, has_shortcut={self.has_shortcut}"


class BinaryResNet(nn.Module):
    r"""Real 3x3 convolution, normalizer; ``depth`` binary blocks; average pooling; linear.

    The three nets that BNN - BN compares:

    - ``norm="batch"``: ReActNet-18's block with BatchNorm after each convolution;
    - ``norm="none"``: the same without;
    - ``branch="bn_free"``: filters of scaled weight standardization with a gain, alpha and the
      expected variances in its place. Adaptive gradient clipping belongs to the optimizer.

    The other options take these nets apart: ``standardized`` gives or takes the filters alone,
    ``shortcuts`` and ``scale`` lead back to the binary nets before XNOR-Net and Bi-Real net.

    Source: Chen et al. 2021 (BNN - BN, arXiv 2104.08215); official code (ReActNet-18 for CIFAR).
    Differences: blocks and stages are shared out by ``stages`` (theirs: 4 stages of 4 blocks, from
    64 channels), first weights are He's from ``initialize`` unless ``first_weights`` is
    ``positive``, training in one step or, with ``weights="real"`` first, in their two.

    Args:
        image_shape: (C, H, W), 8 x 8 or 32 x 32 pixels or any other size.
        num_classes: number of outputs.
        depth: blocks, of one 3x3 convolution each.
        width: channels of the stem and the first stage; see ``stages``.
        norm: a name for ``make_norm``.
        branch: ``plain`` or ``bn_free``, which takes the place of the normalizer.
        alpha: factor of each branch, with ``bn_free``.
        variance: the rule of ``expected_variances``, with ``bn_free``.
        weights: ``binary``, or ``real`` for the official first step of training, where only the
            activations are binary; its state dict then loads into the binary net.
        standardized: scaled weight standardization; None for what the branch has.
        scale: of binary filters: ``mean_abs``, or ``none`` for signs alone, which goes with neither
            standardized nor real filters.
        shortcuts: whether blocks have any.
        first_weights: ``centred`` (He's), or ``positive``: uniform between 0 and 1e-3 in binary
            layers, as in the official code. Without standardization all signs then start as plus;
            the official second step starts from trained real weights instead.
        **options: options of the normalizer.

    Shape:
        (N, C, H, W) -> logits (N, num_classes).

    Raises:
        ValueError: for an unknown choice, an alpha that is not positive, ``bn_free`` with a
            normalizer or without shortcuts.
    """

    @checked
    def __init__(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        depth: int,
        width: int,
        norm: str = "none",
        *,
        branch: str = "plain",
        alpha: float = 0.2,
        variance: str = "code",
        weights: str = "binary",
        standardized: bool | None = None,
        scale: str = "mean_abs",
        shortcuts: bool = True,
        first_weights: str = "centred",
        **options: object,
    ) -> None:
        super().__init__()
        positive(num_classes=num_classes, width=width)
        _check_choices(branch, weights, first_weights)
        _check_numbers(alpha, standardized, shortcuts)
        free = branch == "bn_free"
        if free and (norm != "none" or not shortcuts):
            raise ValueError(
                "branch='bn_free' stands in for the normalizer of a block with a shortcut: norm "
                f"must be 'none' and shortcuts True, got {norm!r} and {shortcuts}."
            )
        self.branch, self.first_weights = branch, first_weights
        standardized = free if standardized is None else standardized
        conv = FilterConv(image_shape[0], width, 3, standardized=standardized, binary=False)
        self.stem = nn.Sequential(conv, make_norm(norm, width, **options))
        plan = stages(image_shape[1], depth, width)
        variances = expected_variances([stride != 1 for _, stride in plan], alpha, variance)
        channels, blocks = width, []
        for (out, stride), expected in zip(plan, variances, strict=True):
            kind = {"standardized": standardized, "binary": weights == "binary", "scale": scale}
            kind["shortcut"] = shortcuts
            if free:
                kind |= {"alpha": alpha, "variance": expected}
            blocks.append(BinaryBlock(channels, out, stride, norm, **kind, **options))
            channels = out
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch of images."""
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))

    @torch.no_grad()
    def after_initialize(self) -> None:
        """Set what is left; ``initialize`` calls this once all weights are He's."""
        for module in self.modules():
            if isinstance(module, RSign):
                module.bias.zero_()
            elif isinstance(module, RPReLU):
                module.before.zero_()
                module.slope.fill_(module.SLOPE)
                module.after.zero_()
            elif isinstance(module, FilterConv) and module.gain is not None:
                module.gain.fill_(1)
        if self.first_weights == "positive":
            for module in self.blocks.modules():
                if isinstance(module, FilterConv):
                    bound = math.sqrt(6 / module.weight[0].numel())  # the same draws, moved
                    module.weight.copy_(POSITIVE * (module.weight / bound + 1) / 2)


def _check_choices(branch: str, weights: str, first_weights: str) -> None:
    check_name("branch of a binary net", branch, BRANCHES)
    check_name("kind of weights", weights, WEIGHTS)
    check_name("kind of first weights", first_weights, FIRST_WEIGHTS)


def _check_numbers(alpha: float, standardized: bool | None, shortcuts: bool) -> None:
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 < alpha < math.inf:
        raise ValueError(f"alpha must be a positive number, got {alpha!r}.")
    if not isinstance(standardized, bool | None) or not isinstance(shortcuts, bool):
        raise ValueError(
            "standardized must be True, False or None and shortcuts True or False, got "
            f"{standardized!r} and {shortcuts!r}."
        )
