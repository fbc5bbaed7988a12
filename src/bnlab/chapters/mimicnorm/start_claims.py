"""M2 and M3 of Fei 2020, which need no training; see ``claims``."""

from __future__ import annotations

from bnlab.chapters.mimicnorm import m2_memory, m3_at_start
from bnlab.chapters.mimicnorm.m3_at_start import RATE
from bnlab.chapters.mimicnorm.setting import FEI
from bnlab.verdicts.verdict import Claim, Effect

FIFTH = {"unit": "of the bytes", "margin": 0.1, "kind": "about", "target": 0.2}
M2 = Claim(
    id="M2",
    **FEI,
    sentence="The memory of a training falls by about 20 %.",
    falsifier=(
        "What the forward pass keeps for the backward pass is not smaller by 10 to 30 %, in a "
        "residual or in a plain net, with torch's fused BatchNorm or with one in single operations."
    ),
    prediction=(
        "It depends on both. The number is the same for every seed, so trials have told it: with "
        "fused kernels the residual net saves a quarter and the plain net half, without them half "
        "and two thirds. A fused BatchNorm keeps its input, and without one that is gone; but each "
        "scalar at the end of a branch keeps its input again. The paper's own tables go from 4 % "
        "to 31 %."
    ),
    gap=(
        "The paper reads the memory of a GPU in use, with all that a framework keeps. We count "
        "the bytes of the tensors that are kept for the backward pass."
    ),
    effects=(
        Effect(
            "residual_fused",
            "share of the kept bytes that MimicNorm saves against BatchNorm: residual net, torch's "
            "fused kernels",
            **FIFTH,
            says="with fused kernels the residual net keeps about a fifth less",
            predicted=(0.2, 0.3),
        ),
        Effect(
            "residual_single",
            "the same with a BatchNorm of single operations",
            **FIFTH,
            says="with single operations the residual net keeps about a fifth less",
            predicted=(0.45, 0.55),
        ),
        Effect(
            "plain_fused",
            "the plain net, torch's fused kernels",
            **FIFTH,
            says="with fused kernels the plain net keeps about a fifth less",
            predicted=(0.45, 0.55),
        ),
        Effect(
            "plain_single",
            "the plain net, single operations",
            **FIFTH,
            says="with single operations the plain net keeps about a fifth less",
            predicted=(0.6, 0.7),
        ),
    ),
    core=("residual_fused", "residual_single", "plain_fused", "plain_single"),
    setting="the net and the kernels",
    answer=(
        "Nobody trains with a BatchNorm of single operations, and where more than a fifth is saved "
        "the method is better than claimed. The paper's number is that of a GPU with all of a "
        "training in it, of which the kept tensors are a part. The peak of a step on a GPU, in the "
        "paper's nets, would tell."
    ),
    measure=m2_memory.measure,
    options=("device",),
    values=m2_memory.values,
    facts=m2_memory.facts,
    runs={"digits": m2_memory.BASE},
)

M3 = Claim(
    id="M3",
    **FEI,
    sentence=(
        "Subtracting the mean from the weights decorrelates activations: like BatchNorm it moves a "
        "ReLU net into the chaotic regime (χ > 1), while in plain nets all pairs of inputs become "
        "alike."
    ),
    falsifier=(
        "In layer 30 of a net at its start, before the ReLU, the cosine of two inputs is not near "
        "0 with the mean subtracted, or not near 1 without a normalizer; or small differences "
        "between inputs do not grow from layer to layer, or not at the rate of χ = 1.467; or they "
        "grow without a normalizer, too."
    ),
    prediction=(
        "It holds: the theory gives χ = 1.467, which is 0.083 decades a layer, and trials with "
        "three seeds had cosines of 0.98 and 0.01, and a growth of 0.081 with the mean subtracted, "
        "0.084 with BatchNorm and none without. After the ReLU the verdict would be another one: "
        "there even independent features have a cosine of 1/π = 0.32."
    ),
    gap="None in kind: perceptrons of width 128 and depth 30 at their start, inputs are digits.",
    effects=(
        Effect(
            "centred",
            "cosine of two inputs in layer 30, with the mean subtracted",
            "of cosine",
            0.2,
            kind="same",
            says="with the mean subtracted pairs of inputs become uncorrelated",
            predicted=(0.0, 0.02),
        ),
        Effect(
            "plain",
            "the same without a normalizer",
            "of cosine",
            0.9,
            says="without a normalizer all pairs of inputs become alike",
            predicted=(0.95, 1.0),
        ),
        Effect(
            "chaos",
            "growth of a small relative difference between inputs, per layer, with the mean "
            "subtracted",
            "decades",
            0.0,
            says="with the mean subtracted small differences grow",
            predicted=(0.078, 0.084),
        ),
        Effect(
            "law",
            "the same, against the theory's χ = 1.467",
            "decades",
            0.01,
            kind="about",
            target=RATE,
            says="they grow at the rate of χ = 1.467",
            predicted=(0.078, 0.084),
        ),
        Effect(
            "batch",
            "growth with BatchNorm, against the same theory",
            "decades",
            0.01,
            kind="about",
            target=RATE,
            says="with BatchNorm they grow at the same rate",
            predicted=(0.081, 0.087),
        ),
        Effect(
            "calm",
            "growth without a normalizer",
            "decades",
            0.02,
            kind="same",
            upper=True,
            says="without a normalizer they do not grow",
            predicted=(-0.01, 0.01),
        ),
    ),
    core=("centred",),
    answer=(
        "The theory is that of infinite width, and holds at the start. What becomes of the cosines "
        "in training, in the paper's nets, would have to be measured there."
    ),
    measure=m3_at_start.measure,
    values=m3_at_start.values,
    facts=m3_at_start.facts,
    runs={"digits": m3_at_start.BASE},
)
