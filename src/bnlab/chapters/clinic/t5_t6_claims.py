"""T5 and T6: what weight decay acts on, and the order of BatchNorm and ReLU."""

from __future__ import annotations

from bnlab.chapters.clinic import t5_decay, t6_order
from bnlab.chapters.clinic.setting import GAP, PRACTITIONERS
from bnlab.verdicts.verdict import Claim, Effect

T5 = Claim(
    id="T5",
    **PRACTITIONERS,
    sentence=(
        "Weight decay belongs on the weights alone: a net that decays gamma, beta and the biases "
        "too is worse."
    ),
    falsifier=(
        "Each at its own best rate, decay of the weights alone gives less than half a point more "
        "test accuracy than decay of everything."
    ),
    prediction=(
        "Not shown: in trial runs the four were within a point of each other. The length of "
        "weights before a BatchNorm is not seen by the output, so that their decay makes the steps "
        "larger and regularizes nothing; gamma and beta are seen, but a smaller gamma is made up "
        "for by the last layer. At the same rate decay of the weights raises the effective rate "
        "about threefold, and decay of gamma does not. The rate of each net is its own, so little "
        "of that is left."
    ),
    gap=GAP.format(depth="four", steps=t5_decay.STEPS)
    + f" The decay is {t5_decay.DECAY}, twenty times the usual one, as the training is short.",
    effects=(
        Effect(
            "weights_all",
            "test accuracy, decay of the weights alone minus decay of everything",
            "",
            0.005,
            says="decay of the weights alone is better than decay of everything",
            predicted=(-0.005, 0.005),
        ),
        Effect(
            "all_none",
            "test accuracy, decay of everything minus no decay",
            "",
            0.005,
            says="decay helps at all",
            predicted=(-0.005, 0.01),
        ),
        Effect(
            "gamma_none",
            "test accuracy, decay of gamma alone minus no decay",
            "",
            0.01,
            kind="same",
            says="decay of gamma alone changes little",
            predicted=(-0.005, 0.01),
        ),
        Effect(
            "rate",
            "effective rate at the end at the same rate, decay of the weights over no decay",
            "decades",
            0.3,
            says="decay of the weights raises the effective rate",
            predicted=(0.45, 0.6),
        ),
        Effect(
            "rate_gamma",
            "effective rate at the end at the same rate, decay of gamma over no decay",
            "decades",
            0.1,
            kind="same",
            says="decay of gamma leaves the effective rate alone",
            predicted=(-0.02, 0.02),
        ),
        Effect(
            "speed",
            "training loss at the end, decay of everything over decay of the weights",
            "decades",
            0.05,
            says="decay of gamma and the biases costs training loss",
            predicted=(0.1, 0.3),
        ),
    ),
    answer=(
        "Decay is meant for trainings of many epochs on images that are not learned by heart so "
        "soon, and its strength was not tuned. A sweep over its strength on CIFAR-10, to the end, "
        "would meet this."
    ),
    measure=t5_decay.measure,
    options=("tuning", "base"),
    values=t5_decay.values,
    facts=t5_decay.facts,
    repeat=t5_decay.repeat,
    runs={"digits": t5_decay.BASE},
)

DEPTHS = {
    2: ("two", (-0.01, 0.005), (0.1, 0.2)),
    6: ("six", (-0.03, -0.005), (-0.1, -0.02)),
}

T6 = Claim(
    id="T6",
    **PRACTITIONERS,
    sentence="BatchNorm works better behind the ReLU than before it.",
    falsifier=(
        "In nets of two or of six hidden layers, each order at its own best rate, BatchNorm behind "
        "the ReLU gives less than half a point more test accuracy than before it."
    ),
    prediction=(
        "Not shown with two layers, where the two are level, and the other way round with six: "
        "behind the ReLU a channel that is nearly always zero has a small deviation, and the few "
        "images that it does see are blown up. In trial runs the order before the ReLU was ahead "
        "by 1 to 3 points there. With two layers the order behind it learns faster all the same. A "
        "bias before BatchNorm is taken away again and changes nothing; before a ReLU it could "
        "matter, and did not in trial runs."
    ),
    gap=GAP.format(depth="two and of six", steps=t6_order.BASE.steps),
    effects=(
        *(
            Effect(
                f"after_{depth}",
                f"test accuracy, BatchNorm behind the ReLU minus before it, {words} hidden layers",
                "",
                0.005,
                says=f"with {words} hidden layers it is better behind the ReLU",
                predicted=accuracy,
            )
            for depth, (words, accuracy, _) in DEPTHS.items()
        ),
        *(
            Effect(
                f"speed_{depth}",
                "mean training loss over the run, BatchNorm before the ReLU over behind it, "
                f"{words} hidden layers",
                "decades",
                0.05,
                says=f"with {words} hidden layers it learns faster behind the ReLU",
                predicted=speed,
            )
            for depth, (words, _, speed) in DEPTHS.items()
        ),
        *(
            Effect(
                f"bias_{order}_{depth}",
                f"test accuracy, with minus without a bias, BatchNorm {place} the ReLU, {words} "
                "hidden layers",
                "",
                0.01,
                kind="same",
                says=f"with {words} hidden layers and BatchNorm {place} the ReLU a bias changes "
                "nothing",
                predicted=(-0.01, 0.01),
            )
            for order, place in (("before", "before"), ("after", "behind"))
            for depth, (words, *_) in DEPTHS.items()
        ),
    ),
    core=tuple(f"after_{depth}" for depth in DEPTHS),
    setting="the depth",
    answer=(
        "The comparisons in the threads are of convolutional nets on CIFAR and ImageNet, trained "
        "for many epochs and mostly once. A residual net on CIFAR-10 with several seeds would meet "
        "this."
    ),
    measure=t6_order.measure,
    options=("tuning", "base", "depths"),
    values=t6_order.values,
    facts=t6_order.facts,
    repeat=t6_order.repeat,
    runs={"digits": t6_order.BASE},
)
