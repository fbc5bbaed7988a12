"""Fei et al. 2020, *MimicNorm*: weight means and one last BatchNorm.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds and other settings; they are not counted.
"""

from __future__ import annotations

from bnlab.verdicts.verdict import Claim, Effect

FEI = {
    "paper": "fei2020",
    "authors": "Fei et al. 2020",
    "chapter": "09_mimicnorm",
}
GAP = (
    "The paper trains VGG, ResNet, SqueezeNet and ShuffleNet on CIFAR-100 and ImageNet. We plan a "
    "residual net of eight blocks of 16 channels and a plain one of 12 convolutions on digits, for "
    "some hundred steps, at rates tuned for each method."
)

M1 = Claim(
    id="M1",
    **FEI,
    sentence=(
        "Subtracting the mean from the weights, with one last BatchNorm, matches the accuracy of "
        "BatchNorm in every layer."
    ),
    falsifier=(
        "In the residual or in the plain net, test accuracy is more than two points below that of "
        "BatchNorm in every layer."
    ),
    prediction=(
        "It holds in these nets, as in trial runs. In a plain net of 30 layers trial runs failed; "
        "such depth is outside of what the paper trains."
    ),
    gap=GAP,
    effects=(
        Effect(
            "residual",
            "test accuracy in the residual net, BatchNorm minus MimicNorm",
            "",
            0.02,
            kind="same",
            upper=True,
        ),
        Effect("plain", "the same in the plain net", "", 0.02, kind="same", upper=True),
    ),
)

M2 = Claim(
    id="M2",
    **FEI,
    sentence="The memory of a training falls by about 20 %.",
    falsifier=(
        "What the forward pass keeps for the backward pass is less than a tenth smaller than with "
        "BatchNorm."
    ),
    prediction=(
        "It holds, and the saving is larger than that: a BatchNorm keeps its input, and without "
        "one the convolution's output need not be kept where the ReLU works in place. The paper's "
        "own tables go from a few per cent to a third."
    ),
    gap=(
        "The paper reads the memory of a GPU in use, with all that a framework keeps. We count "
        "the bytes of the tensors that are kept for the backward pass."
    ),
    effects=(
        Effect(
            "saved",
            "share of the kept bytes that MimicNorm saves against BatchNorm, residual net",
            "of the bytes",
            0.1,
        ),
    ),
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
        "In layer 30 of a net at its start the cosine of two inputs is not near 1 without a "
        "normalizer, or not near 0 with the mean subtracted; or small differences between inputs "
        "do not grow from layer to layer."
    ),
    prediction=(
        "It holds: the theory gives χ = 1.467, and trial runs had cosines of nearly 1 and nearly 0."
    ),
    gap="None in kind: perceptrons of width 128 and depth 30 at their start, inputs are digits.",
    effects=(
        Effect("plain", "cosine of two inputs in layer 30, no normalizer", "of cosine", 0.9),
        Effect(
            "centred",
            "the same with the mean subtracted",
            "of cosine",
            0.2,
            kind="same",
            upper=True,
        ),
        Effect(
            "chaos",
            "growth of a small relative difference between inputs, per layer, with the mean "
            "subtracted",
            "decades",
            0.0,
        ),
    ),
)

M4 = Claim(
    id="M4",
    **FEI,
    sentence=(
        "The last BatchNorm tunes the learning rate by itself, so rates at which plain nets "
        "diverge still train."
    ),
    falsifier=(
        "The largest usable rate with the last BatchNorm is less than three times that without a "
        "normalizer."
    ),
    prediction=(
        "It holds for moderate rates. At large rates trial runs with the last BatchNorm alone "
        "varied much between seeds."
    ),
    gap=GAP,
    effects=(
        Effect(
            "rate",
            "largest usable learning rate, last BatchNorm only over no normalizer",
            "decades",
            0.5,
        ),
    ),
)

M5 = Claim(
    id="M5",
    **FEI,
    sentence="It is better than no normalizer, and better than Fixup.",
    falsifier="Its test accuracy is less than a point above that of no normalizer, or of Fixup.",
    prediction=(
        "It is better than no normalizer. Against Fixup we expect no difference: the digits are "
        "too easy. No trial runs with Fixup were made."
    ),
    gap=GAP,
    effects=(
        Effect("none", "test accuracy, MimicNorm minus no normalizer", "", 0.01),
        Effect("fixup", "test accuracy, MimicNorm minus Fixup", "", 0.01),
    ),
)

CLAIMS = (M1, M2, M3, M4, M5)
