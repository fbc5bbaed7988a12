"""T7 and T8: dropout before BatchNorm, and samples that should not see each other."""

from __future__ import annotations

from bnlab.chapters.clinic import t7_dropout, t8_penalty
from bnlab.chapters.clinic.setting import GAP, PRACTITIONERS
from bnlab.verdicts.verdict import Claim, Effect

T7 = Claim(
    id="T7",
    **PRACTITIONERS,
    sentence=(
        "Dropout before BatchNorm makes it remember a variance that it does not meet in "
        "evaluation, and accuracy suffers; behind the last BatchNorm it does no harm."
    ),
    falsifier=(
        "With dropout of one half before each BatchNorm the running variance is less than a "
        "quarter larger than the variance that evaluation mode meets."
    ),
    prediction=(
        "The core holds: one half left out doubles the mean square, and the layers behind add to "
        "it. In trial runs the factor was 2.4 in the first layer and 3 in the next ones, and 2.3 "
        "at the end of a net with dropout behind each ReLU. The net loses points, but most of them "
        "to the dropout and not to the statistics: statistics computed anew brought back two or "
        "three. Behind the last BatchNorm it loses next to nothing."
    ),
    gap=GAP.format(depth="four", steps=t7_dropout.STEPS)
    + " Nets of 64 units have none to spare, so that dropout of one half costs more than it would "
    "in a wide net.",
    effects=(
        Effect(
            "before",
            "running variance over variance in evaluation mode, half left out before each "
            "BatchNorm",
            "decades",
            0.1,
            says="with dropout before each BatchNorm it remembers a larger variance than it meets",
            predicted=(0.35, 0.55),
        ),
        Effect(
            "layer",
            "the same, half left out behind each ReLU",
            "decades",
            0.1,
            says="with dropout behind each ReLU, too",
            predicted=(0.15, 0.25),
        ),
        Effect(
            "head",
            "the same, half left out behind the last BatchNorm alone",
            "decades",
            0.03,
            kind="same",
            says="with dropout behind the last BatchNorm the two agree",
            predicted=(-0.02, 0.02),
        ),
        Effect(
            "none",
            "the same without dropout",
            "decades",
            0.03,
            kind="same",
            says="without dropout the two agree",
            predicted=(-0.02, 0.02),
        ),
        Effect(
            "lost",
            "test accuracy with statistics computed anew minus without, half left out before each "
            "BatchNorm",
            "",
            0.01,
            says="the statistics cost accuracy",
            predicted=(0.0, 0.05),
        ),
        Effect(
            "worse",
            "test accuracy without dropout minus with half left out before each BatchNorm",
            "",
            0.01,
            says="the net is worse for the dropout",
            predicted=(0.03, 0.12),
        ),
        Effect(
            "place",
            "test accuracy, half left out behind the last BatchNorm minus before each",
            "",
            0.01,
            says="behind the last BatchNorm dropout is better",
            predicted=(0.02, 0.12),
        ),
    ),
    answer=(
        "Dropout is for wide nets that learn their images by heart; here it takes away more than "
        "it gives, so that what the shift alone costs is hard to see. A wide net with wrong labels "
        "would meet this."
    ),
    measure=t7_dropout.measure,
    options=("tuning", "base"),
    values=t7_dropout.values,
    facts=t7_dropout.facts,
    repeat=t7_dropout.repeat,
    runs={"digits": t7_dropout.BASE},
)

T8 = Claim(
    id="T8",
    **PRACTITIONERS,
    sentence=(
        "With BatchNorm a sample's output depends on the other samples, so that a penalty for each "
        "sample's own gradient is wrong; group and layer normalization keep samples apart."
    ),
    falsifier=(
        "In a batch of 64, after training, the gradient of the summed outputs differs by less than "
        "a tenth from that of each sample's own output."
    ),
    prediction=(
        "It holds. Each of the others has a share of about 1 / N in mean and variance, and there "
        "are N - 1 of them: what is off the diagonal falls with N, but the error of the penalty, "
        "in which all of it is added up, does not. In trial runs the penalty was off by 37 % with "
        "64 samples and by 44 % with eight, before training as after it."
    ),
    gap=GAP.format(depth="four", steps=t8_penalty.BASE.steps)
    + " No critic is trained and no contrastive loss: the matrix is that of a classifier, whose "
    "output is the logit of the label.",
    effects=(
        Effect(
            "penalty",
            "error of the gradient's norm if outputs are summed, 64 samples, after training",
            "of the norm",
            0.1,
            says="a penalty for each sample's gradient is wrong with BatchNorm",
            predicted=(0.3, 0.45),
        ),
        Effect(
            "leak",
            "share of the squared gradients that belongs to other samples, 64 samples, after "
            "training",
            "of the squares",
            0.05,
            says="with 64 samples some of the gradient belongs to other samples",
            predicted=(0.06, 0.1),
        ),
        Effect(
            "leak_8",
            "the same, eight samples",
            "of the squares",
            0.2,
            says="with eight samples much of it does",
            predicted=(0.35, 0.5),
        ),
        Effect(
            "start",
            "the same, 64 samples, before training",
            "of the squares",
            0.05,
            says="it is so from the start",
            predicted=(0.06, 0.1),
        ),
        Effect(
            "alone",
            "the largest of these numbers with group, layer or no normalization",
            "decades",
            -9.0,
            kind="identity",
            says="with group or layer normalization no sample sees another one",
            predicted=(-17.0, -12.0),
        ),
    ),
    answer=(
        "Critics with BatchNorm have been trained all the same. What a wrong penalty costs them, "
        "and how much of a contrastive loss can be read off the statistics, a small GAN and a "
        "contrastive net would have to tell."
    ),
    measure=t8_penalty.measure,
    options=("base", "norms"),
    values=t8_penalty.values,
    facts=t8_penalty.facts,
    repeat=t8_penalty.repeat,
    runs={"digits": t8_penalty.BASE},
)
