"""What all claims of Chen et al. 2021 share."""

from __future__ import annotations

CHEN = {
    "paper": "chen2021nas",
    "authors": "Chen, Li et al. 2021",
    "chapter": "12_bn_nas",
}
GAP = (
    "The paper searches 21 layers of six blocks on ImageNet, and trains what it finds for 240 "
    "epochs. We search 500 nets: four layers, each with blocks of kernel 3 or 5 and expansion 3 "
    "or 6, or without a block. A net alone is trained on digits for 60 steps at a small rate, so "
    "that not all are good; a supernet for 400 steps."
)
