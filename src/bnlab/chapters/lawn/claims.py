"""Gupta et al. 2021, *Logit Attenuating Weight Normalization*: weights held on a sphere.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds and other settings; they are not counted.
"""

from __future__ import annotations

from bnlab.verdicts.verdict import Claim, Effect

GUPTA = {
    "paper": "gupta2021",
    "authors": "Gupta et al. 2021",
    "chapter": "10_lawn",
}
GAP = (
    "The paper trains image classifiers and recommenders on large data. We plan a perceptron of "
    "three layers on 1,197 digits, 20 % of them with a wrong label, with Adam and full batches; "
    "test labels are right. The paper's text was not at hand for its finer settings."
)

LW1 = Claim(
    id="LW1",
    **GUPTA,
    sentence=(
        "Without a well-tuned L2 term or weight decay, training inflates weights and logits; the "
        "loss becomes tiny, and the net can no longer adapt."
    ),
    falsifier=(
        "From the first tenth of the training to its end the norm of the weights or the size of "
        "the logits hardly grows, or the gradient does not shrink to a tenth."
    ),
    prediction=(
        "All three hold: in trial runs the logits grew about fourfold. That the net can no longer "
        "adapt is only as true as the small gradient says it."
    ),
    gap=GAP,
    effects=(
        Effect("weights", "norm of the weights, end over first tenth", "decades", 0.1),
        Effect(
            "logits",
            "mean size of the logits, end over first tenth",
            "decades",
            0.3,
        ),
        Effect("gradient", "norm of the gradient, first tenth over end", "decades", 1.0),
    ),
)

LW2 = Claim(
    id="LW2",
    **GUPTA,
    sentence=(
        "Holding the norms of the layers in the last homogeneous part of the net keeps it able to "
        "adapt, and improves test accuracy."
    ),
    falsifier=(
        "With LAWN the logits are hardly smaller than with the base optimizer, or the gradient at "
        "the end is not three times larger; or test accuracy is not a point higher than with "
        "well-tuned weight decay."
    ),
    prediction=(
        "The logits and the gradient hold clearly. Accuracy gains one or two points with wrong "
        "labels, and may stay undecided; on clean digits trial runs found none."
    ),
    gap=GAP,
    effects=(
        Effect("logits", "mean size of the logits at the end, Adam over LAWN", "decades", 0.1),
        Effect("gradient", "norm of the gradient at the end, LAWN over Adam", "decades", 0.5),
        Effect(
            "accuracy",
            "test accuracy, LAWN minus Adam with weight decay tuned on other seeds",
            "",
            0.01,
        ),
    ),
)

LW3 = Claim(
    id="LW3",
    **GUPTA,
    sentence="It works on top of any optimizer that follows gradients, and Adam gains most.",
    falsifier=(
        "SGD or Adam loses test accuracy with it, each tuned; or Adam's gain is not larger than "
        "that of SGD."
    ),
    prediction="Both gain a little with wrong labels. Which gains more, we do not know: no trials.",
    gap=GAP + " Of the paper's optimizers we take SGD with momentum and Adam.",
    effects=(
        Effect("any", "gain of test accuracy, the smaller one of SGD and Adam", "", 0.0),
        Effect("most", "gain of Adam minus gain of SGD", "", 0.005),
    ),
)

LW4 = Claim(
    id="LW4",
    **GUPTA,
    sentence="With large batches all optimizers gain greatly.",
    falsifier=(
        "With full batches the gain of LAWN is less than two points, or no larger than with "
        "batches of 32, over the same number of epochs."
    ),
    prediction=(
        "In trial runs with wrong labels the gain was some points with large batches, and little "
        "with batches of 32."
    ),
    gap=GAP,
    untestable=(
        "Large batches are thousands of images, of data sets with a million; there are 1,197 "
        "digits to train on."
    ),
    instead="Full batches of 1,197 digits against batches of 32, with the same number of epochs.",
    effects=(
        Effect("full", "gain of test accuracy with full batches", "", 0.02),
        Effect("more", "gain with full batches minus gain with batches of 32", "", 0.01),
    ),
)

CLAIMS = (LW1, LW2, LW3, LW4)
