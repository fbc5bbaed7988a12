"""Augmentation of training images, as the papers use it: random crops and mirror images.

Both are usual for residual nets on CIFAR since He et al. 2016; Bjorck 2018 augments its images.
Lubana 2021 takes mirror images alone, and the main results of Santurkar 2018 are without any.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from bnlab import random
from bnlab.errors import check_name

AUGMENTATIONS = ("none", "flip", "crop_flip")
SHARE = 8
"""The padding at each side is this part of the image: 4 of 32 pixels (He et al. 2016, 4.2)."""

CAN_BE_AUGMENTED = ("cifar10", "cifar100")


def check_augment(name: str, data: str) -> None:
    """Raise a clear error for an unknown augmentation, or one that a data set does not allow."""
    check_name("augment", name, AUGMENTATIONS)
    if name != "none" and data not in CAN_BE_AUGMENTED:
        raise ValueError(
            f"augment={name!r} is not for data={data!r}: a mirrored digit is no digit. Use "
            f"augment='none', or one of {', '.join(CAN_BE_AUGMENTED)}."
        )


def augmented(x: Tensor, name: str, seed: int, step: int) -> Tensor:
    """The images of a batch, each changed at random.

    ``flip`` mirrors an image, left to right, with probability 1/2. ``crop_flip`` also pads it at
    each side, images of 32 x 32 with 4 pixels and those of 16 x 16 with 2, and cuts an image of the
    old size out of it, anywhere. The padding is zero, which is the mean colour of standardized
    images.

    Which change depends on the seed, the step and the place in the batch alone, not on the device.

    Source: He et al. 2016, Deep Residual Learning for Image Recognition, section 4.2.

    Args:
        x: images, (B, C, H, W).
        name: one of ``AUGMENTATIONS``.
        seed: of the Run.
        step: number of the batch, from 1.

    Returns:
        The images, of the same shape; ``x`` itself for ``none``.
    """
    if name == "none":
        return x
    count, channels, height, width = x.shape
    padding = height // SHARE
    # One transfer to a GPU.
    drawn = torch.from_numpy(_draw(name, seed, step, count, padding)).to(x.device)
    down, right, is_mirrored = drawn[..., None]
    rows = down + torch.arange(height, device=x.device)
    columns = torch.arange(width, device=x.device).expand(count, -1)
    columns = right + torch.where(is_mirrored == 1, columns.flip(1), columns)
    padded = pad(x, [padding] * 4)
    # Places in a padded plane, row after row: three times as fast as four indices.
    places = (rows[:, :, None] * padded.shape[3] + columns[:, None]).view(count, 1, -1)
    return padded.flatten(2).gather(2, places.expand(-1, channels, -1)).view(x.shape)


def _draw(name: str, seed: int, step: int, count: int, padding: int) -> np.ndarray:
    """The crop's first row and column of each image, and whether it is mirrored; (3, count)."""
    first = (step - 1) * count

    def integers(stream: int, high: int) -> np.ndarray:
        return random.integers(seed, stream, high, count, first)

    if name == "flip":
        middle = np.full(count, padding)
        return np.stack([middle, middle, integers(random.MIRRORED, 2)])
    places = [integers(stream, 2 * padding + 1) for stream in (random.CROP_ROW, random.CROP_COLUMN)]
    return np.stack([*places, integers(random.MIRRORED, 2)])
