"""How alike two images are inside of untrained MLPs, layer by layer, and what theory says of it.

``python -m bnlab.lab.mimic.mimic_start`` measures it anew. The widget Mimic looks these numbers up,
in the page and with a kernel alike: ``mimic_start.json``, which this module makes. Layer k of a net
starts from the same weights whatever the depth, so the deepest net has the numbers of all.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import torch
from torch import nn

from bnlab.engines.compiled.catalogue import MIMIC_DEPTHS, variants
from bnlab.lab.kit.images import batch
from bnlab.lab.mimic.mimic import SEEDS, START, STARTS
from bnlab.store import write_text
from bnlab.train import threads

DEPTH = max(MIMIC_DEPTHS)
SHARES = (0.5, 0.1, 0.9)
"""Of the pairs: the median, and the band that holds four fifths of them."""


@threads(1)
def cosines(kind: str, seed: int) -> np.ndarray:
    """Cosine of what reaches each ReLU, (``DEPTH``, pairs of images), in a net at its start."""
    net = variants("mimic")[kind, DEPTH].module(seed).double().train()
    found: list[np.ndarray] = []
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(lambda _, z: found.append(z[0].numpy()))
    with torch.no_grad():
        net(batch()[0].double())
    return np.array([of_pairs(z @ z.T) for z in found])


def of_pairs(products: np.ndarray) -> np.ndarray:
    """Cosines of all pairs, of the matrix of their scalar products."""
    lengths = np.sqrt(np.diag(products))
    return (products / np.outer(lengths, lengths))[np.triu_indices(len(products), 1)]


def theory(kind: str) -> np.ndarray:
    r"""The same in infinitely wide nets, the median pair of each layer, (``DEPTH``,).

    With C the mean products of what reaches a layer's ReLUs, a pair's lengths a, b and cosine rho,
    and phi(rho) = (sqrt(1 - rho^2) + rho (pi - arccos rho)) / (2 pi), the next layer has

        none:         2 a b phi(rho)
        weight_mean:  2 a b (phi(rho) - phi(0)), as weights of mean 0 see only what differs between
                      the units of a layer;
        batch:        2 a b phi(rho), from which each image's mean over the batch is taken, on both
                      sides; large batches.

    Source: Cho and Saul 2009 for phi; Fei et al. 2020, arXiv 2010.09278, for weight mean.
    """
    x = batch()[0].double().flatten(1).numpy()
    if kind == "weight_mean":
        x = x - x.mean(1, keepdims=True)
    products, medians = x @ x.T, []
    for _ in range(DEPTH):
        if kind == "batch":
            products = products - products.mean(0)
            products = products - products.mean(1, keepdims=True)
        medians.append(np.median(of_pairs(products)))
        products = _after_relu(products, mean_out=kind == "weight_mean")
    return np.array(medians)


def _after_relu(products: np.ndarray, mean_out: bool) -> np.ndarray:
    """Mean products of two units' outputs; without those of their means, if ``mean_out``."""
    lengths = np.outer(*2 * [np.sqrt(np.diag(products))])
    rho = np.clip(products / lengths, -1, 1)
    phi = (np.sqrt(1 - rho**2) + rho * (np.pi - np.arccos(rho))) / (2 * np.pi)
    return 2 * lengths * (phi - (1 / (2 * np.pi) if mean_out else 0.0))


def profile(kind: str) -> list[list[float]]:
    """[median, tenth, nine tenths] over all pairs of all seeds, of each layer, to three digits."""
    pairs = np.concatenate([cosines(kind, seed) for seed in SEEDS], axis=1)
    return np.quantile(pairs, SHARES, axis=1).T.round(3).tolist()


def content() -> dict[str, object]:
    """All that the file has."""
    return {
        "seeds": len(SEEDS),
        "layers": {kind: profile(kind) for kind in STARTS},
        "theory": {kind: theory(kind).round(3).tolist() for kind in STARTS},
    }


def main() -> int:
    """Make the file anew; returns the exit status."""
    write_text(START, json.dumps(content(), separators=(",", ":")) + "\n")
    print(f"{START.name}: {START.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
