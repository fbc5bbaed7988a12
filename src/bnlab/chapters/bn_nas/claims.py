"""Chen et al. 2021, *BN-NAS*: BatchNorm's scales as scores of architectures.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds and other settings; they are not counted.
"""

from __future__ import annotations

from bnlab.verdicts.verdict import Claim, Effect

CHEN = {
    "paper": "chen2021nas",
    "authors": "Chen, Li et al. 2021",
    "chapter": "12_bn_nas",
}
GAP = (
    "The paper searches 21 layers of six blocks on ImageNet, and trains what it finds for 240 "
    "epochs. We plan a supernet of four layers with five choices each, and 30 nets trained alone "
    "for some hundred steps on digits, three seeds each."
)

N1 = Claim(
    id="N1",
    **CHEN,
    sentence=(
        "A score from BatchNorm's scales predicts the final rank of an architecture early in the "
        "training of the supernet."
    ),
    falsifier=(
        "After a quarter of the supernet's steps the score's rank correlation (Kendall's τ) with "
        "the accuracy of the nets trained alone is not above 0.2; or counting FLOPs does as well."
    ),
    prediction=(
        "In trial runs the score reached a τ of about 0.3 early and 0.5 late, no better than the "
        "size of the net. So the second half fails."
    ),
    gap=GAP,
    effects=(
        Effect(
            "early", "τ of the score and the accuracy after a quarter of the steps", "of τ", 0.2
        ),
        Effect("beyond", "this τ minus that of the FLOPs", "of τ", 0.0),
    ),
)

N2 = Claim(
    id="N2",
    **CHEN,
    sentence="To train only the parameters of BatchNorm is enough for the search.",
    falsifier=(
        "With only BatchNorm's parameters trained, the score's τ is more than 0.1 below that with "
        "all trained, or not above 0.2."
    ),
    prediction=(
        "It fails: in trial runs the score had a τ near zero, since a narrow net of random "
        "convolutions hardly learns. The paper's nets are far wider."
    ),
    gap=GAP,
    effects=(
        Effect("tau", "τ of the score, only BatchNorm's parameters trained", "of τ", 0.2),
        Effect(
            "less",
            "τ with all parameters trained minus this τ",
            "of τ",
            0.1,
            kind="same",
            upper=True,
        ),
    ),
)

N3 = Claim(
    id="N3",
    **CHEN,
    sentence="The training of the supernet becomes more than ten times shorter.",
    falsifier=(
        "After a tenth of the steps the score ranks the nets worse, by more than 0.1 of τ, than "
        "the supernet's accuracy does after all steps."
    ),
    prediction=(
        "It fails at this scale: in trial runs the score still improved when the number of steps "
        "grew eightfold."
    ),
    gap=GAP,
    untestable="The paper compares 10 with 100 epochs of ImageNet, which takes GPU-days.",
    instead=(
        "Whether the score after a tenth of our steps ranks as well as the supernet's accuracy "
        "after all of them."
    ),
    effects=(
        Effect(
            "tenth",
            "τ of the supernet's accuracy after all steps minus τ of the score after a tenth",
            "of τ",
            0.1,
            kind="same",
            upper=True,
        ),
    ),
)

N4 = Claim(
    id="N4",
    **CHEN,
    sentence="To evaluate an architecture becomes more than 600,000 times faster.",
    falsifier="The score of an architecture takes more than a thousandth of the time.",
    prediction=(
        "The score is a sum of a few numbers, and evaluating is thousands of images through a "
        "net. At our scale that is a factor of thousands; the factor says little, since training "
        "the supernet comes before both."
    ),
    gap=GAP,
    untestable="The factor is for candidates of the paper's size on ImageNet, with its batches.",
    instead=(
        "The time of a score against that of an evaluation with statistics made anew, in our "
        "supernet on one core."
    ),
    effects=(Effect("time", "time of an evaluation over that of a score", "decades", 3.0),),
)

N5 = Claim(
    id="N5",
    **CHEN,
    sentence="Nothing is lost: what the search finds is as accurate.",
    falsifier=(
        "The architecture with the best score, trained alone, is more than two points less "
        "accurate than the one with the best accuracy in the supernet."
    ),
    prediction=(
        "It holds, since both choose large nets. A random architecture of the same size would do "
        "nearly as well; it is measured beside them."
    ),
    gap=GAP,
    untestable="What the paper's search finds is trained for 240 epochs on ImageNet.",
    instead="The best of our search space by score and by accuracy in the supernet, trained alone.",
    effects=(
        Effect(
            "lost",
            "test accuracy trained alone, best by supernet accuracy minus best by score",
            "",
            0.02,
            kind="same",
            upper=True,
        ),
    ),
)

CLAIMS = (N1, N2, N3, N4, N5)
