"""What the claims of this chapter have in common: their papers, the nets and how laws differ."""

from __future__ import annotations

import math

from bnlab.chapters.signals.b3_to_b6_l1_at_start import BASE

CHAPTER = {"chapter": "02_signals"}
BJORCK = {"paper": "bjorck2018", "authors": "Bjorck et al. 2018", **CHAPTER}
LUBANA = {"paper": "lubana2021", "authors": "Lubana et al. 2021", **CHAPTER}
AT_START = {
    "runs": {"digits": BASE},
}
GAP = (
    "The paper looks at a ResNet-110 on CIFAR-10. We look at 18 residual blocks of 16 and 32 "
    "channels, with He's initial weights, on 128 digits."
)
TWICE = math.log10(2)
MISFIT = "what a power of the depth misses over what an exponential misses (sums of squares)"
DAY = "2026-11-29"
