"""Untrained MLPs by the size of their groups.

``python -m bnlab.lab.group_sizes.group_start`` measures a grid of them anew. The compiled nets tell
no similarity of samples, so the widget GroupSizes looks these numbers up, in the page and with a
kernel alike: ``group_start.json``, which this module makes.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.engines.compiled.catalogue import WIDTH, variants
from bnlab.lab.group_sizes.group_sizes import SEEDS, START
from bnlab.lab.kit.images import batch
from bnlab.measure import measure_signals
from bnlab.nets import make_net
from bnlab.store import write_text
from bnlab.train import threads

QUANTITIES = ("cosine", "gradient_norm")


@threads(1)
def signals(norm: str, options: dict[str, object], depth: int, seed: int) -> list[np.ndarray]:
    """Cosine and gradient norm (``measure.Signals``), a number for each hidden layer.

    The cosine is that of the outputs of the nonlinearities; the gradient is that of the outputs of
    the linear layers, before the normalizer. On the first 64 training images.
    """
    net = make_net("mlp", (1, 8, 8), 10, depth, WIDTH, norm, options, seed).double()
    x, y = batch()
    layers = [
        name
        for name, module in net.named_modules()
        if name.startswith("body.") and isinstance(module, nn.Linear)
    ]
    cosine = measure_signals(net, None, x.double(), mode="train").cosine
    gradient = measure_signals(
        net, cross_entropy, x.double(), y, layers=layers, mode="train"
    ).gradient_norm
    return [cosine, gradient]


def profile(variant: str, depth: int) -> dict[str, list[list[float]]]:
    """[median, smallest, largest] over the seeds of each layer, by quantity, to four digits."""
    net = variants("groups")[variant, depth]
    found = [signals(net.norm, json.loads(net.options), depth, seed) for seed in SEEDS]
    parts = np.array(found).transpose(1, 2, 0)  # quantity, layer, seed
    return {
        name: [
            [float(f"{v:.4g}") for v in (np.median(row), row.min(), row.max())]
            for row in parts[number]
        ]
        for number, name in enumerate(QUANTITIES)
    }


def grid() -> dict[str, dict[str, dict]]:
    """All profiles, by variant and depth (as text, for JSON)."""
    found: dict[str, dict[str, dict]] = {}
    for variant, depth in variants("groups"):
        found.setdefault(variant, {})[str(depth)] = profile(variant, depth)
    return found


def main() -> int:
    """Make the file anew; returns the exit status."""
    write_text(START, json.dumps(grid(), separators=(",", ":")) + "\n")
    print(f"{START.name}: {START.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
