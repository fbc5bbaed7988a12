"""The rows of the decision guide: situations, advice, and what it rests on."""

from __future__ import annotations

from bnlab.show.guide_row import Row, ahead, few, lead
from bnlab.show.guide_rows_practice import PRACTICE
from bnlab.show.guide_rows_without import WITHOUT

ROWS = (
    Row(
        "An ordinary image net, batches of 32 or more",
        "BatchNorm, with a learning rate tuned for it.",
        "It keeps activations and gradients at one scale, tolerates larger rates, and can be "
        "folded away for inference.",
        "In a perceptron of 12 layers the largest usable rate is {B1[ratio_12]:.0f} times as large "
        "as without a normalizer, and BatchNorm is {B1[own_12]:.1f} points ahead; with 6 layers, "
        "{B1[own_6]:.1f} points. In a convolutional net of 10 layers its mean training loss over "
        "300 steps is {L3[batch_loss]:.2f}, that of groups of 2 channels {L3[group_2_loss]:.2f}, "
        "that of layer norm {L3[layer_loss]:.2f}.",
        ("B1", "B2", "S1", "L3"),
        lambda f: (
            f["B1"]["ratio_12"] > 2
            and f["B1"]["own_12"] > 0
            and f["L3"]["batch_loss"] < f["L3"]["group_2_loss"]
        ),
    ),
    Row(
        "Small batches in a perceptron: four samples or fewer to normalize over",
        "Group norm. If the statistics of a batch must stay, take Batch Renormalization.",
        "A channel has one number for each sample. Statistics of four numbers are mostly noise, "
        "and not those used at inference.",
        "With groups of four out of 32 samples: group norm {R3[test_running_group_4]:.0f} %, Batch "
        "Renormalization {R3[test_running_batch_renorm_4]:.0f}, BatchNorm "
        "{R3[test_running_batch_4]:.0f}; with groups of two {R3[test_running_group_2]:.0f}, "
        "{R3[test_running_batch_renorm_2]:.0f} and {R3[test_running_batch_2]:.0f}. With whole "
        "batches of four: {R3[test_running_group_alone_4]:.0f}, "
        "{R3[test_running_batch_renorm_alone_4]:.0f} and {R3[test_running_batch_alone_4]:.0f} %. "
        "On single samples BatchNorm cannot be trained at all; layer norm reaches "
        "{T2[test_layer_1]:.0f} %, group norm {T2[test_group_1]:.0f}.",
        ("R3", "T2"),
        lambda f: (
            ahead(f, 2, "group", "batch_renorm", "batch")
            and ahead(f, 4, "group", "batch")
            and ahead(f, "alone_4", "group", "batch")
            and ahead(f, 4, "batch_renorm", "batch")
        ),
    ),
    Row(
        "Small batches in a convolutional net",
        "In a net that works with BatchNorm, first synchronize it over devices, and recompute its "
        "statistics before inference. For one or two large images a device, group norm: that is "
        "what the literature reports, not what we measured.",
        "A channel has one number for each position, so a few images are many numbers in the "
        "first layers and few in the last. Numbers of one image are alike, though.",
        "Our nets see images of 8 by 8 pixels. There BatchNorm reaches "
        "{R3[test_running_batch_conv_4]:.0f} % with groups of four images and "
        "{R3[test_running_batch_conv_2]:.0f} % with two ({R3[test_recomputed_batch_conv_2]:.0f} % "
        "with recomputed statistics); Batch Renormalization "
        "{R3[test_running_batch_renorm_conv_4]:.0f} and "
        "{R3[test_running_batch_renorm_conv_2]:.0f} %. So they do not show the harm that the paper "
        "reports. Group norm has {R3[test_running_group_conv_2]:.0f} %, but its training is not "
        "finished ({R3[train_group_conv_2]:.0f} % of the training images), so that nothing "
        "follows about which is better.",
        ("R3",),
        lambda f: (
            few(f, "batch", "conv_2") > few(f, "batch", "conv_32") - 5
            and f["R3"]["test_recomputed_batch_conv_2"] > few(f, "batch", "conv_2")
            and f["R3"]["train_group_conv_2"] < 95
        ),
        {
            "wu2018": "on ImageNet with two images a device, group norm has 10.6 points fewer "
            "errors than BatchNorm",
            "wu2021": "how to recompute, freeze or synchronize the statistics",
        },
    ),
    Row(
        "Batches that are not independent: one class, one patient, frames of one film",
        "Shuffle, so that each group that is normalized is mixed. If you cannot, take group norm.",
        "With BatchNorm a net learns to use what the batch tells about its samples, and that is "
        "missing at inference.",
        "Groups of one class: BatchNorm loses {R4[lost_batch_pure]:.0f} points, Batch "
        "Renormalization {R4[lost_batch_renorm_pure]:.0f}, and group norm keeps "
        "{R4[test_running_group_pure]:.0f} %. Two classes: BatchNorm falls from "
        "{R4[test_running_batch_mixed]:.0f} to {R4[test_running_batch_two]:.0f} % in a "
        "perceptron; in a convolutional net it does not fall "
        "({R4[test_running_batch_conv_mixed]:.0f} and {R4[test_running_batch_conv_two]:.0f} %).",
        ("R4",),
        lambda f: (
            f["R4"]["lost_batch_pure"] > 10
            and f["R4"]["test_running_group_pure"] > f["R4"]["test_running_batch_mixed"] - 2
            and f["R4"]["test_running_batch_conv_two"]
            > f["R4"]["test_running_batch_conv_mixed"] - 1
        ),
        {"wu2021": "what a batch of several domains does, and what leaks within a batch"},
    ),
    *PRACTICE,
    Row(
        "Detection and segmentation: large images, one or two a device",
        "Synchronized BatchNorm, group norm, or BatchNorm frozen as it comes from pre-training.",
        "A device sees too few images for statistics of its own. In the head, regions of one image "
        "are no independent samples either.",
        literature={
            "peng2018": "BatchNorm over all devices, for batches of 256",
            "wu2018": "group norm can be ahead of BatchNorm on COCO",
            "wu2021": "batches of regions in the head",
        },
    ),
    Row(
        "Recurrent nets and transformers",
        "Layer norm, or RMS norm, which is cheaper; in a transformer before each sub-layer rather "
        "than after it.",
        "Sequences differ in length and content, so a sample should not depend on its neighbours. "
        "A fixed function of each number, such as tanh, can take the place of the norm, but that "
        "is new: try it with your optimizer.",
        literature={
            "ba2016": "layer norm in recurrent nets",
            "zhang2019rms": "layer norm without the mean is as good, and faster",
            "xiong2020": "with the norm before the sub-layer the warm-up can go",
            "zhu2025": "tanh in its place",
            "abouzeid2026": "erf in its place: far behind with one of two optimizers",
        },
    ),
    *WITHOUT,
    Row(
        "The group size is yours to choose",
        "In a convolutional net start from the usual 32 groups, then try groups of fewer channels, "
        "but not of one. In a perceptron take one group, which is layer norm.",
        "Small groups keep samples apart, but they need many positions: in a perceptron a group of "
        "two channels is only two numbers.",
        "In a convolutional net of 10 layers and at most 32 channels, layer norm's mean training "
        "loss is {L5[slower_2_plain10]:.1f} times that of groups of 2, and its largest usable rate "
        "{L5[usable_2_plain10]:.1f} times theirs. In a perceptron of 6 layers its loss is "
        "{L5[slower_mlp6]:.1f} times that of groups of 4, and its usable rate "
        "{L5[usable_mlp6]:.1f} times. With 20 layers and groups of one channel the first gradient "
        "is {L4[instance_20]:.0f} times as large as the last.",
        ("L5", "L4", "L2"),
        lambda f: (
            f["L5"]["slower_2_plain10"] > 1.05
            and f["L5"]["usable_2_plain10"] < 1
            and f["L5"]["slower_mlp6"] < 1 < f["L5"]["usable_mlp6"]
        ),
        {"wu2018": "32 groups; layer norm and instance norm are behind in ResNet-50"},
    ),
    Row(
        "Weights of a scale that you did not choose",
        "Use a normalizer; we measured BatchNorm and Batch Renormalization.",
        "The output of a normalized layer does not depend on the scale of its weights, with layer "
        "and group norm as well; the steps do, and the learning rate must follow.",
        "With initial weights from a quarter to four times their size BatchNorm's accuracy varies "
        "by {R5[range_batch]:.1f} points, Batch Renormalization's by "
        "{R5[range_batch_renorm]:.1f}. Without a normalizer the accuracy varies by "
        "{R5[range_none]:.0f} points, and by {R5[range_own_none]:.0f} if each scale has its own "
        "rate.",
        ("R5",),
        lambda f: f["R5"]["range_own_none"] > 2 * f["R5"]["range_batch_renorm"],
    ),
    Row(
        "You are bound to a small learning rate",
        "Train long enough before you compare; then choose by other reasons.",
        "In a short training at a small rate BatchNorm is behind; that is about speed.",
        "At rate {B1[small_lr]:g} a perceptron with BatchNorm is {B1[behind_12]:.0f} points behind "
        "one without after 300 steps. After 3,000 it has {B1[batch_long]:.0f} %, and the one "
        "without {B1[none_long]:.0f} %.",
        ("B1",),
        lambda f: f["B1"]["behind_12"] > 2 > abs(f["B1"]["behind_long"]),
    ),
    Row(
        "You look for one normalizer for everything",
        "There is none. For image nets with large, independent batches BatchNorm is the safe "
        "default; elsewhere take the default of your kind of net.",
        "In most rows of this table another one is better, by what was measured or reported.",
        "Trained to the end in three convolutional nets, with 10 and with 20 layers without "
        "shortcuts and a residual one: BatchNorm {L6[batch_plain10]:.0f}, {L6[batch_plain20]:.0f} "
        "and {L6[batch_resnet]:.0f} %; groups of 4 {L6[group_4_plain10]:.0f}, "
        "{L6[group_4_plain20]:.0f} and {L6[group_4_resnet]:.0f}; layer norm "
        "{L6[layer_plain10]:.0f}, {L6[layer_plain20]:.0f} and {L6[layer_resnet]:.0f}; instance "
        "norm {L6[instance_plain10]:.0f}, {L6[instance_plain20]:.0f} and "
        "{L6[instance_resnet]:.0f}. Nothing beats BatchNorm by a point here. But in a "
        "perceptron it has {R3[test_running_batch_2]:.0f} % with groups of two samples and "
        "{R4[test_running_batch_pure]:.0f} % with groups of one class, where group norm has "
        "{R3[test_running_group_2]:.0f} and {R4[test_running_group_pure]:.0f} %.",
        ("L6", "R3", "R4"),
        lambda f: (
            f["L6"]["overall"] == "batch"
            and all(lead(f["L6"], net) < 1 for net in ("plain10", "plain20", "resnet"))
            and few(f, "batch", 2) < few(f, "group", 2) - 10
            and f["R4"]["test_running_batch_pure"] < f["R4"]["test_running_group_pure"] - 10
        ),
    ),
    Row(
        "Binary nets",
        "Give each filter a scale, the mean size of its weights, and keep the shortcuts. In a "
        "small net BatchNorm is then worth a point or two, and larger rates. In a large one, or "
        "with filters of signs alone, keep it, unless you follow a recipe without it as a whole.",
        "A sign passes a gradient only where its input lies between −1 and 1. BatchNorm keeps most "
        "inputs there, and a scale of the filters does so nearly as well.",
        "In eight of ReActNet's blocks BatchNorm has {BNN1[test_batch]:.1f} %, the scale alone "
        "{BNN1[test_none]:.1f} %, and scaled weight standardization "
        "{BNN1[test_standardized]:.1f} %; the recipe of the paper as a whole "
        "{BNN1[test_three]:.1f} %, and after two stages, twice as long, {BNN2[test_three]:.1f} % "
        "(BatchNorm {BNN2[test_batch]:.1f} %). With filters of signs alone BatchNorm has "
        "{BNN3[test_signs_batch]:.0f} % and nothing {BNN3[test_signs_none]:.0f} %.",
        ("BNN1", "BNN2", "BNN3"),
        lambda f: (
            0 < f["BNN1"]["test_batch"] - f["BNN1"]["test_none"] < 3
            and 0 < f["BNN3"]["test_scaled_batch"] - f["BNN3"]["test_scaled_none"] < 3
            and f["BNN3"]["points_signs"] > 20
            and f["BNN3"]["test_scaled_unchanged"] < f["BNN3"]["test_scaled_none"] - 5
        ),
        {
            "chen2021bnn": "without BatchNorm, 1.4 points behind on ImageNet; with nothing in its "
            "place half as accurate"
        },
    ),
    Row(
        "You rank operations or architectures by the γ of their BatchNorms",
        "Count parameters first: that costs nothing, and ranked better here. Compare γ only where "
        "branches are added to a shortcut.",
        "A γ whose output goes only into another normalizer has no size of its own. And a sum of γ "
        "that nobody has trained counts layers.",
        "Among 500 small nets a score from γ has a rank correlation of {N1[score_100]:.2f} with "
        "the accuracy of the nets trained alone, after a quarter of the supernet's training, and "
        "{N1[score_400]:.2f} after all; the number of layers has {N1[tau_layers]:.2f}, the number "
        "of parameters {N1[tau_parameters]:.2f}. What the score finds reaches "
        "{N5[test_score]:.0f} %, a random net of its size {N5[test_random]:.0f} %.",
        ("N1", "N5"),
        lambda f: (
            f["N1"]["tau_parameters"] > f["N1"]["score_400"] + 0.05
            and f["N5"]["test_score"] < f["N5"]["test_random"] + 2
        ),
    ),
    Row(
        "Style transfer and image generation by style",
        "Instance norm.",
        "It removes the contrast of each image, which is part of its style.",
        literature={"ulyanov2016": "instance norm in place of BatchNorm, also at inference"},
    ),
    Row(
        "Reinforcement learning",
        "Layer norm in value nets; Batch Renormalization or BatchNorm only in designs made for it.",
        "The data change with the policy, so running statistics are late, and the batches of two "
        "successive states differ.",
        literature={
            "gallici2025": "a proof that layer norm can make temporal differences converge",
            "bhatt2024": "BatchNorm in the critic, without a target net and with both batches "
            "together",
        },
    ),
    Row(
        "Inference must be cheap",
        "BatchNorm, folded into the layer before it.",
        "With fixed statistics it is a scale and a shift for each channel; norms of the sample "
        "itself must be computed each time.",
        literature={"jacob2018": "folding, and training with it for integers"},
    ),
)
