"""What small nets reach on CIFAR-10, halved to 16 x 16 pixels, in 1, 2, 4 and 8 epochs.

    python benchmarks/cifar10_epochs.py                one epoch and two; half an hour of a core
    python benchmarks/cifar10_epochs.py --epochs 8     another two hours

The settings of the claims at that scale were chosen by it: a net with BatchNorm and one without
must both reach an accuracy that is worth comparing. Each line is one training, with a seed that no
claim counts.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence

import torch

from bnlab.train import Run, train

SEED = 2100
EPOCH = 704  # steps of 64 images, of which there are 45,000
BASE = Run(
    data="cifar10",
    image_size=16,
    width=16,
    batch_size=64,
    optimizer_options={"momentum": 0.9, "weight_decay": 5e-4},
    schedule="cosine",
    schedule_options={"warmup": 100},
    seed=SEED,
)
NETS = {
    "VGG-like, 6 convolutions": {
        "net": "plain",
        "depth": 6,
        "net_options": {"downsample": "max_pool"},
    },
    "residual, 3 blocks, crop and flip": {"net": "resnet", "depth": 3, "augment": "crop_flip"},
}
NORMS = ("none", "batch")
LRS = (0.03, 0.1)


def runs(epochs: Sequence[int], lrs: Sequence[float] = LRS) -> Iterator[tuple[str, Run]]:
    """Each net's name and Run: net by net, with and without BatchNorm, at each rate and length."""
    for (name, fields), norm, lr, count in itertools.product(NETS.items(), NORMS, lrs, epochs):
        steps = count * EPOCH
        yield name, BASE.replace(**fields, norm=norm, lr=lr, steps=steps, eval_every=steps)


def line(name: str, run: Run) -> str:
    """A row of the table: what was trained, what it reached, how long a step took."""
    start = time.perf_counter()
    accuracy = 100 * train(run, device="cpu").test_accuracy
    step = 1000 * (time.perf_counter() - start) / run.steps
    epochs = run.steps / EPOCH
    return f"| {name} | {run.norm} | {run.lr:g} | {epochs:g} | {accuracy:.1f} % | {step:.0f} ms |"


def main(arguments: list[str] | None = None) -> int:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 2], help="lengths (1 2)")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(
        "| net | normalizer | rate | epochs | test accuracy | a step |\n|---|---|---|---|---|---|"
    )
    for name, run in runs(chosen.epochs):
        print(line(name, run), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
