"""What the claims M1 to M5 say of the paper and of how far from it we are."""

from __future__ import annotations

FEI = {
    "paper": "fei2020",
    "authors": "Fei et al. 2020",
    "chapter": "09_mimicnorm",
}
PAPER = "The paper trains VGG, ResNet, SqueezeNet and ShuffleNet on CIFAR-100 and ImageNet. "
HERE = (
    "We train a residual net of eight blocks, of 16 and 32 channels, on 1,197 digits with plain "
    "SGD in batches of 32"
)
