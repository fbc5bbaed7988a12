"""What the claims of Santurkar et al. 2018 share."""

from __future__ import annotations

SANTURKAR = {"paper": "santurkar2018", "authors": "Santurkar et al. 2018"}
CHAPTER = {"chapter": "04_covariate_shift"}
GAP = (
    "The paper trains a VGG-like net on CIFAR-10 for 15,000 steps of SGD with batches of 128, "
    "without augmentation. We train perceptrons of 6 and of 15 hidden layers on 1,197 digits, for "
    "{steps} steps of SGD with batches of 64."
)
