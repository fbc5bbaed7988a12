"""The rows of the decision guide on doing without normalizers in the layers."""

from __future__ import annotations

from bnlab.show.guide_row import Row

WITHOUT = (
    Row(
        "A very deep net without a normalizer",
        "Make each residual branch start small (SkipInit, or Fixup's recipe), and clip the "
        "gradients; with large batches by adaptive clipping.",
        "Otherwise each block multiplies the variance of the stream, which then grows "
        "exponentially.",
        "Over {L1[blocks]} blocks the variance grows {L1[none]:power} times before the first step "
        "without a normalizer, {L1[batch]:.0f} times with BatchNorm, and {L1[sws_skipinit]:.1f} "
        "times where each branch starts at zero (with weights that are normalized). In a "
        "perceptron of 12 layers, clipped gradients make the largest usable rate "
        "{B10[ratio]:.0f} times as large; it then reaches {B10[given_accuracy]:.1f} %, and with "
        "BatchNorm {B10[batch_accuracy]:.1f} %.",
        ("L1", "B2", "B3", "B10"),
        lambda f: (
            f["L1"]["none"] > 100 * f["L1"]["batch"] > 100 * f["L1"]["sws_skipinit"]
            and f["B10"]["given"].startswith("clip")
            and f["B10"]["given_accuracy"] > f["B10"]["batch_accuracy"] - 2
        ),
        {
            "de2020": "SkipInit",
            "zhang2019fixup": "Fixup",
            "brock2021": "adaptive gradient clipping: as good as with BatchNorm on ImageNet",
        },
    ),
    Row(
        "Weights normalized instead of activations",
        "Scaled weight standardization, and in a residual net never without SkipInit or the like.",
        "It has no batch and costs nothing at inference. But each branch keeps the scale of its "
        "input, so that the residual stream grows from block to block, more than with weight norm.",
        "In a convolutional net of 10 layers without shortcuts the mean loss over 300 steps is "
        "{L3[scaled_weight_standardization_loss]:.2f} with scaled weight standardization, "
        "{L3[weight_norm_loss]:.2f} with weight norm, and {L3[batch_loss]:.2f} with BatchNorm. "
        "Over {L1[blocks]} residual blocks the variance grows {L1[sws]:power} times with scaled "
        "weight standardization, {L1[weight_norm]:power} times with weight norm, and with SkipInit "
        "{L1[sws_skipinit]:.1f} times.",
        ("L1", "L3"),
        lambda f: (
            f["L1"]["sws"] > 100 * f["L1"]["sws_skipinit"]
            and f["L3"]["scaled_weight_standardization_loss"] < f["L3"]["weight_norm_loss"] / 2
        ),
        {"brock2021": "the recipe as a whole"},
    ),
    Row(
        "BatchNorm is too expensive or too slow in every layer",
        "In a residual net try MimicNorm: take the mean out of each filter, and put one BatchNorm "
        "after the classifier. Do both; either alone is fragile at large rates. It still needs a "
        "batch to train with.",
        "Filters without a mean keep different images apart, as BatchNorm does; the last BatchNorm "
        "sets the size of the logits, and with it that of the gradients.",
        "In a residual net of eight blocks, after {M1[steps]} steps, MimicNorm has "
        "{M1[test_mimic_residual]:.1f} % and BatchNorm in every layer "
        "{M1[test_batch_residual]:.1f} %, each at its own rate. At rate {M4[large]:g} MimicNorm "
        "has {M4[test_mimic_large]:.0f} %, the last BatchNorm alone "
        "{M4[test_last_norm_large]:.0f} %, and with the filters' means alone "
        "{M4[diverged_weight_mean_large]} of {M4[seeds]} nets diverge. For the backward pass the "
        "residual net keeps {M2[saved_mimic_residual_fused]:.0f} % fewer bytes, and a net without "
        "shortcuts {M2[saved_mimic_plain_fused]:.0f} % fewer.",
        ("M1", "M2", "M4", "M5"),
        lambda f: (
            f["M1"]["test_mimic_residual"] > f["M1"]["test_batch_residual"] - 2
            and f["M4"]["test_mimic_large"] > f["M4"]["test_last_norm_large"] + 10
            and f["M4"]["failed_weight_mean_large"] > 0
            and f["M2"]["saved_mimic_residual_fused"] > 10
        ),
        {"fei2020": "as accurate as BatchNorm in ResNets on ImageNet; we found no replication"},
    ),
    Row(
        "Some labels are wrong, and the net learns them by heart",
        "Tune weight decay. If you cannot, hold the norms of the weights (LAWN). To stop early "
        "adds little once the learning rate is tuned.",
        "Weights that may not grow cannot make the logits of a wrong label large. Weight decay "
        "limits the same thing.",
        "With a fifth of the labels wrong, full batches and each method at its own rate: Adam "
        "{LW2[alone_own_test]:.1f} %, with LAWN {LW2[lawn_own_test]:.1f} %, with weight decay "
        "{LW2[decay_own_test]:.1f} %, and stopped early {LW2[stopped_own_stopped_test]:.1f} %. "
        "With batches of 32 and SGD: alone {LW3[sgd_alone_test]:.1f} %, LAWN "
        "{LW3[sgd_lawn_test]:.1f} %, weight decay {LW3[sgd_decay_test]:.1f} %.",
        ("LW1", "LW2", "LW3"),
        lambda f: (
            f["LW2"]["behind_own"] > 0.5
            and f["LW2"]["stopped_own_stopped_test"] < f["LW2"]["alone_own_test"] + 0.5
            and f["LW3"]["sgd_gain_over_decay"] < 0
            and f["LW3"]["adam_gain_over_decay"] < 0
        ),
        {
            "gupta2021": "with large batches, LAWN ahead of tuned optimizers",
            "nado2021": "tuned standard optimizers are enough for large batches",
        },
    ),
)
