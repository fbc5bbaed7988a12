"""The net of Santurkar et al. 2018 on CIFAR-10, made small: what S1, S2 and S4 train there."""

from __future__ import annotations

from bnlab.train import Run

BASE = Run(
    data="cifar10",
    image_size=16,
    net="plain",
    net_options={"downsample": "max_pool"},
    depth=6,
    width=16,
    batch_size=64,
    steps=1408,
    eval_every=1408,
)
GAP = (
    "The paper trains a VGG on images of 32 pixels, for 15,000 steps of SGD with batches of 128. "
    "Ours has six convolutions of 16 to 64 channels and one linear layer, sees images of 16 "
    "pixels, and takes {steps:,} steps with batches of 64. As there: SGD without momentum, one "
    "rate from the first step to the last, no augmentation. Ours start from He's weights, the "
    "paper's from Glorot's."
)
