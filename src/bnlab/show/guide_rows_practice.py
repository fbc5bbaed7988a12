"""The rows of the decision guide on what practitioners ask: each has a card in the clinic."""

from __future__ import annotations

from collections.abc import Mapping

from bnlab.show.guide_row import Facts, Row


def _level(facts: Facts, depth: int, points: float = 1) -> bool:
    """Whether no order of T6 is ahead by more than so many points, with a bias."""
    before, after = (facts["T6"][f"test_{order}_bias_{depth}"] for order in ("before", "after"))
    return abs(before - after) <= points


def _by_statistics(facts: Mapping[str, float]) -> float:
    """The share of what dropout before each BatchNorm costs that new statistics bring back."""
    lost = facts["same_rate_none"] - facts["same_rate_before_5"]
    return (facts["repaired_before_5"] - facts["same_rate_before_5"]) / lost


PRACTICE = (
    Row(
        "Right in training mode, wrong in evaluation mode",
        "Compute the running statistics anew, from training images and with the weights as they "
        "are: reset them, set momentum to None, and let some batches pass in training mode.",
        "Evaluation mode uses running statistics. They belong to other weights if the momentum is "
        "too small for the run, if the last batches were of one kind, or if the weights are an "
        "average.",
        "Evaluation mode has {T1[slow_eval_mode]:.0f} % with a momentum of 0.001, "
        "{T1[one_class_eval_mode]:.0f} after batches of one class and "
        "{T1[averaged_eval_mode]:.0f} with averaged weights, and with statistics computed anew "
        "{T1[slow_repaired]:.0f}, {T1[one_class_repaired]:.0f} and {T1[averaged_repaired]:.0f}.",
        ("T1",),
        lambda f: all(
            f["T1"][f"{cause}_repaired"] > f["T1"][f"{cause}_eval_mode"] + 10
            for cause in ("slow", "one_class", "averaged")
        ),
        {"wu2021": "statistics computed anew, which the authors call precise BatchNorm"},
    ),
    Row(
        "Gradient accumulation",
        "To BatchNorm, eight micro-batches of four samples are batches of four, not of 32. If a "
        "micro-batch is small, make it larger; in a perceptron, or where a channel has few "
        "positions, use group norm.",
        "Gradients add up over micro-batches; statistics do not, and the running averages move "
        "with each of them. That is ghost BatchNorm.",
        "In a perceptron with BatchNorm the accumulated gradient of eight batches of four differs "
        "from that of the batch of 32 by at least {T4[whole_least]:.1f} times the length of the "
        "latter; with layer norm it is the same. Trained so, the net has {T4[test_ghost]:.1f} % "
        "instead of {T4[test_whole]:.1f}. In a convolutional net it has "
        "{R3[test_running_batch_conv_4]:.0f} % with groups of four and "
        "{R3[test_running_batch_conv_32]:.0f} with all 32.",
        ("T4", "R3"),
        lambda f: (
            f["T4"]["test_ghost"] < f["T4"]["test_whole"] - 1
            and f["T4"]["layer_most"] < 1e-9 < 0.1 < f["T4"]["whole_least"]
        ),
        {"hoffer2017": "ghost BatchNorm; parts of 128 out of a very large batch even help there"},
    ),
    Row(
        "Fine-tuning a net that has BatchNorm",
        "With few or small batches freeze the statistics: put the BatchNorm layers into evaluation "
        "mode after each call of model.train(). Train or freeze γ and β as you like.",
        "requires_grad=False stops γ and β, not the running statistics: those follow the new data, "
        "and model.train() undoes the evaluation mode. But a frozen layer is a scale and a shift, "
        "so keep the learning rate small.",
        "A net that knows the digits 0 to 4 learns 5 to 9, with its last layer alone and batches "
        "of four. In training mode it reaches {T3[head_new]:.0f} % of the new digits, in "
        "evaluation mode {T3[frozen_new]:.0f}; if all of it is trained, {T3[free_new]:.0f}. Of "
        "the old digits {T3[head_before]:.1f} % become {T3[head_old]:.1f} in training mode, and "
        "stay in evaluation mode; whether that loss is more than a point, our seeds do not decide.",
        ("T3",),
        lambda f: (
            f["T3"]["frozen_new"] > f["T3"]["head_new"] + 2
            and f["T3"]["frozen_moved"] == 0 < f["T3"]["head_moved"]
        ),
        {"wu2021": "frozen BatchNorm, and when to freeze"},
    ),
    Row(
        "Weight decay: on all parameters, or on the weights alone?",
        "Decay the weights alone, as is usual, but do not expect accuracy from leaving out γ, β "
        "and biases. When you change what decays, tune the learning rate again.",
        "The output does not depend on the size of weights before a BatchNorm. Their decay makes "
        "the steps larger, which a larger rate does, too.",
        "Each at its own best rate: no decay {T5[test_none]:.1f} %, all {T5[test_all]:.1f}, "
        "weights alone {T5[test_weights]:.1f}, γ alone {T5[test_gamma]:.1f}. Decay of everything "
        "ends with a training loss of {T5[end_all]:.2f}, that of the weights with "
        "{T5[end_weights]:.2f}.",
        ("T5",),
        lambda f: (
            abs(f["T5"]["test_weights"] - f["T5"]["test_all"]) < 0.5
            and f["T5"]["end_weights"] < f["T5"]["end_all"]
        ),
    ),
    Row(
        "BatchNorm before or behind the ReLU, and with or without a bias",
        "Keep what your code has. In new code put it before the ReLU; the layer before it then "
        "needs no bias. Behind the ReLU keep the bias.",
        "Before the ReLU, BatchNorm subtracts the mean and with it any bias. Behind it, a bias "
        "decides which inputs the ReLU cuts off.",
        "With a bias, each order at its own best rate: with two hidden layers "
        "{T6[test_before_bias_2]:.1f} % before the ReLU and {T6[test_after_bias_2]:.1f} behind it; "
        "with six, {T6[test_before_bias_6]:.1f} and {T6[test_after_bias_6]:.1f}. Without a bias "
        "the last of these is {T6[test_after_bare_6]:.1f}; whether that is chance, our seeds do "
        "not decide.",
        ("T6",),
        lambda f: _level(f, 2) and _level(f, 6),
    ),
    Row(
        "Dropout in a net that has BatchNorm",
        "Put it behind the last BatchNorm, before the output layer.",
        "Dropout makes the variance larger in training than in evaluation, and a BatchNorm behind "
        "it remembers the larger one.",
        "With half of the units left out before each BatchNorm the remembered variance of the "
        "second layer is {T7[factor_before_5_2]:.1f} times the one met in evaluation; the net has "
        "{T7[test_before_5]:.1f} %, with the same dropout behind the last BatchNorm "
        "{T7[test_head_5]:.1f}, and with none {T7[test_none]:.1f}. Most of that is the dropout "
        "itself and not the statistics.",
        ("T7",),
        lambda f: (
            f["T7"]["factor_before_5_2"] > 1.26 > f["T7"]["factor_head_5_2"]
            and f["T7"]["test_head_5"] > f["T7"]["test_before_5"] + 1
            and _by_statistics(f["T7"]) < 1 / 3
        ),
    ),
    Row(
        "GAN critics with a gradient penalty",
        "No BatchNorm in the critic; layer norm instead.",
        "The penalty is about the gradient for one sample, and BatchNorm makes each output depend "
        "on all samples.",
        "No critic was trained. In a classifier with BatchNorm and batches of 64, the gradient "
        "that such a penalty takes is off by {T8[penalty_batch_64]:.0f} % of its length; with "
        "layer norm by nothing.",
        ("T8",),
        lambda f: f["T8"]["penalty_batch_64"] > 10 and f["T8"]["penalty_layer_64"] == 0,
        {"gulrajani2017": "the penalty, and layer norm in the critic"},
    ),
    Row(
        "Contrastive learning",
        "Shuffle the samples between devices or synchronize the statistics, or use a norm without "
        "a batch.",
        "The statistics leak which samples belong together, and the net solves the task by them.",
        "No contrastive net was trained. In a classifier with BatchNorm {T8[leak_batch_8]:.0f} % "
        "of the squared gradients belong to other samples with batches of eight, and "
        "{T8[leak_batch_64]:.0f} % with 64; with layer norm none.",
        ("T8",),
        lambda f: f["T8"]["leak_batch_64"] > 1 and f["T8"]["leak_layer_64"] == 0,
        {
            "he2020": "samples shuffled for one of the two encoders",
            "wu2021": "leaks within a batch",
        },
    ),
)
