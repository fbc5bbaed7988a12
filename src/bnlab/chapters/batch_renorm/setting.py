"""What the claims R2 to R5 say of the paper and of how far from it we are."""

from __future__ import annotations

from bnlab.chapters.batch_renorm import methods

IOFFE = {
    "paper": "ioffe2017",
    "authors": "Ioffe 2017",
    "chapter": "07_batch_renorm",
}
GAP = (
    "The paper trains Inception-v3 on ImageNet with 50 workers of 32 images each. We train a "
    f"perceptron of four layers on 1,197 digits for {methods.STEPS} steps, with the paper's "
    "schedule of limits shortened in proportion, and rates tuned for each method."
)
