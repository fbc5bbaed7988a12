"""B5 of Bjorck 2018: do the parts of a gradient cancel, and does it depend on the image at all?

The two sums are those of the first edition. The share of the gradient that does not depend on the
image is new: the paper reads the equal signs so. Margins and prediction were written before the
seeds of ``SEEDS`` were run, after trials with seeds 0 to 15.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, unfold

from bnlab.chapters.signals.b3_growth import SEEDS
from bnlab.chapters.signals.b3_to_b6_l1_at_start import (
    BASE,
    PAIR,
    batch,
    column,
    convolutions,
    net_at_start,
)
from bnlab.measure import measure_cancellation
from bnlab.measure.kit.passes import Call, run
from bnlab.train import threads
from bnlab.verdicts.work import HERE, Work

COLUMNS = ("net", "seed", "ratio", "common", "given_label")


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE) -> dict:
    """Bjorck's two sums, and shares of the images' gradients, of each convolution in a block.

    Returns:
        ``rows``, one a net and seed. ``ratio``: sum of absolute contributions over absolute sum.
        ``common`` and ``given_label``: the ``share`` of the images' gradients that all images have
        in common, and that all images of a class have in common. The latter does not depend on the
        image once its label is known.
    """
    return {
        "base": BASE.to_dict(),
        "seeds": list(seeds),
        "nets": list(PAIR),
        "columns": list(COLUMNS),
        "rows": work.starmap(_row, [(net, seed) for seed in seeds for net in PAIR]),
    }


@threads(1)
def _row(net: str, seed: int) -> list:
    model, (x, y) = net_at_start(net, seed), batch(seed)
    layers = convolutions(model)
    ratio = measure_cancellation(model, cross_entropy, x, y, layers=layers, mode="train").ratio
    calls = run(model, x, layers, loss=cross_entropy, y=y, inputs=True)
    gradients = [image_gradients(call) for call in calls]
    one_class = torch.zeros_like(y)
    shares = [[share(g, labels) for g in gradients] for labels in (one_class, y)]
    return [net, seed, *([float(f"{v:.4g}") for v in part] for part in (ratio, *shares))]


def image_gradients(call: Call) -> Tensor:
    """The gradient of a convolution's kernel from each image alone, (N, entries)."""
    layer = call.module
    windows = unfold(call.input, layer.kernel_size, padding=layer.padding, stride=layer.stride)
    return torch.einsum("nop,nip->noi", call.gradient.flatten(2), windows).flatten(1)


def share(gradients: Tensor, labels: Tensor) -> float:
    """The part of the mean square that all images of a label share, without bias.

    It is the mean product of two different images of a label over the mean square: 1 if all are
    equal, about 0 if they are independent. Labels with one image count as sharing nothing.
    """
    total = 0.0
    for label in labels.unique():
        own = gradients[labels == label]
        if len(own) > 1:
            pairs = own.sum(0).square().sum() - own.square().sum()
            total += float(pairs) / (len(own) - 1)
    return total / float(gradients.square().sum())


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of B5, one number a seed."""
    middle = {net: np.median(np.log10(column(data, net, "ratio")), axis=1) for net in PAIR}
    image = {net: np.median(column(data, net, "given_label"), axis=1) for net in PAIR}
    return {
        "plain": middle["none"],
        "cancel": middle["batch"] - middle["none"],
        "image": image["none"],
        "less": image["none"] - image["batch"],
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about B5: medians over seeds and convolutions, or over seeds."""
    found = {}
    for net in PAIR:
        ratio = column(data, net, "ratio")
        found[f"{net}_ratio"] = np.median(ratio)
        found[f"{net}_first"], found[f"{net}_last"] = np.median(ratio[:, [0, -1]], axis=0)
        for name in ("common", "given_label"):
            found[f"{net}_{name}"] = np.median(column(data, net, name))
            found[f"{net}_{name}_last"] = np.median(column(data, net, name)[:, -1])
    return found
