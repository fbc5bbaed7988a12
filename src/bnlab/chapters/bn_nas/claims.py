"""Chen et al. 2021, *BN-NAS*: BatchNorm's scales as scores of architectures.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds (``setups``); they are not counted.
"""

from __future__ import annotations

from bnlab.chapters.bn_nas import (
    n1_early_rank,
    n2_norms_only,
    n3_shorter,
    n4_stopwatch,
    n5_found,
)
from bnlab.verdicts.verdict import Claim, Effect

CHEN = {
    "paper": "chen2021nas",
    "authors": "Chen, Li et al. 2021",
    "chapter": "12_bn_nas",
}
GAP = (
    "The paper searches 21 layers of six blocks on ImageNet, and trains what it finds for 240 "
    "epochs. We search 500 nets: four layers, each with blocks of kernel 3 or 5 and expansion 3 "
    "or 6, or without a block. A net alone is trained on digits for 60 steps at a small rate, so "
    "that not all are good; a supernet for 400 steps."
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
        "the accuracy of the nets trained alone is not above 0.2, among all nets or among nets "
        "with equally many layers; or layers, FLOPs or parameters, counted, do as well."
    ),
    prediction="",
    gap=GAP,
    effects=(
        Effect(
            "early",
            "τ of the score after a quarter of the steps with the accuracy of nets trained alone",
            "of τ",
            0.2,
            says="the score ranks nets early when their numbers of layers differ",
        ),
        Effect(
            "alike",
            "the same τ, among nets with equally many layers",
            "of τ",
            0.2,
            says="the score ranks nets early that have equally many layers",
        ),
        Effect(
            "beyond_layers",
            "τ of the score after a quarter of the steps minus τ of the number of layers",
            "of τ",
            0.0,
            says="it ranks better than the number of layers, the score before any training",
        ),
        Effect(
            "beyond_macs",
            "the same minus τ of the FLOPs",
            "of τ",
            0.0,
            says="it ranks better than FLOPs",
        ),
        Effect(
            "beyond_parameters",
            "the same minus τ of the number of parameters",
            "of τ",
            0.0,
            says="it ranks better than the number of parameters",
        ),
    ),
    core=("early", "alike"),
    setting="whether the nets differ in their number of layers",
    answer="The authors could answer: ",
    measure=n1_early_rank.measure,
    options=("base", "earlier"),
    values=n1_early_rank.values,
    facts=n1_early_rank.facts,
    runs={"digits": n1_early_rank.BASE},
)

N2 = Claim(
    id="N2",
    **CHEN,
    sentence="To train only the parameters of BatchNorm is enough for the search.",
    falsifier=(
        "With only BatchNorm's parameters trained, the score's τ is more than 0.1 below that with "
        "all trained, or not above that of the number of layers."
    ),
    prediction="",
    gap=GAP,
    effects=(
        Effect(
            "norms_less",
            "τ of the score, all weights trained minus only those of the normalizers",
            "of τ",
            0.1,
            kind="same",
            upper=True,
            says="it ranks as well when only the normalizers are trained",
        ),
        Effect(
            "last_less",
            "the same, only those of each operation's last normalizer",
            "of τ",
            0.1,
            kind="same",
            upper=True,
            says="it ranks as well when only the last normalizers are trained",
        ),
        Effect(
            "norms_learned",
            "τ of the score, only the normalizers trained, minus τ of the number of layers",
            "of τ",
            0.0,
            says="with the normalizers trained it knows more than the number of layers",
        ),
        Effect(
            "last_learned",
            "the same, only the last normalizers trained",
            "of τ",
            0.0,
            says="with the last normalizers trained it knows more than the number of layers",
        ),
    ),
    core=("norms_less", "last_less"),
    setting="which normalizers are trained",
    answer="The authors could answer: ",
    measure=n2_norms_only.measure,
    options=("base", "earlier"),
    values=n2_norms_only.values,
    facts=n2_norms_only.facts,
    runs={"digits": n2_norms_only.BASE},
)

N3 = Claim(
    id="N3",
    **CHEN,
    sentence="The training of the supernet becomes more than ten times shorter.",
    falsifier=(
        "After a tenth of the steps the score ranks the nets worse, by more than 0.1 of τ, than "
        "the supernet's accuracy does after all steps; or no better than before any step."
    ),
    prediction="",
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
            says="after a tenth of the steps the score ranks as well as accuracy after all",
        ),
        Effect(
            "learned",
            "τ of the score after a tenth of the steps minus τ of the number of layers",
            "of τ",
            0.0,
            says="it then ranks better than before any step",
        ),
        Effect(
            "grows",
            "τ of the score after all steps minus τ after a tenth",
            "of τ",
            0.1,
            kind="same",
            upper=True,
            says="more steps would not make it better",
        ),
    ),
    core=("tenth",),
    answer="The authors could answer: ",
    measure=n3_shorter.measure,
    options=("base", "earlier"),
    values=n3_shorter.values,
    facts=n3_shorter.facts,
    runs={"digits": n3_shorter.BASE},
)

N4 = Claim(
    id="N4",
    **CHEN,
    sentence="To evaluate an architecture becomes more than 600,000 times faster.",
    falsifier=(
        "The score of an architecture takes more than a thousandth of the time of an evaluation, "
        "its table made once for all, or made anew for each architecture."
    ),
    prediction="",
    gap=GAP,
    untestable="The factor is for candidates of the paper's size on ImageNet, with its batches.",
    instead=(
        "The time of a score against that of an evaluation with statistics made anew, in our "
        "supernet on one core."
    ),
    effects=(
        Effect(
            "lookup",
            "time of an evaluation over that of a score, its table made once",
            "decades",
            3.0,
            says="a score from a table that is there is a thousand times faster",
        ),
        Effect(
            "indicator",
            "the same, the table made for each architecture",
            "decades",
            3.0,
            says="a score whose table is made for each architecture is a thousand times faster",
        ),
    ),
    core=("lookup", "indicator"),
    setting="whether the table is made once or for each architecture",
    answer="The authors could answer: ",
    measure=n4_stopwatch.measure,
    options=("base",),
    values=n4_stopwatch.values,
    facts=n4_stopwatch.facts,
    runs={"digits": n4_stopwatch.BASE},
)

N5 = Claim(
    id="N5",
    **CHEN,
    sentence="Nothing is lost: what the search finds is as accurate.",
    falsifier=(
        "The architecture with the best score, trained alone, is more than two points less "
        "accurate than the one with the best accuracy in the supernet; or not better than a "
        "random one of its size."
    ),
    prediction="",
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
            says="what the score finds is as accurate as what the supernet's accuracy finds",
        ),
        Effect(
            "beyond_random",
            "test accuracy trained alone, best by score minus a random net of its size",
            "",
            0.0,
            says="it is more accurate than a random net of its size",
        ),
    ),
    core=("lost",),
    answer="The authors could answer: ",
    measure=n5_found.measure,
    options=("base",),
    values=n5_found.values,
    facts=n5_found.facts,
    runs={"digits": n5_found.BASE},
)

CLAIMS = (N1, N2, N3, N4, N5)
