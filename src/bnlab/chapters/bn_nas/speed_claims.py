"""N4 and N5: how fast the search becomes, and whether it loses accuracy."""

from __future__ import annotations

from bnlab.chapters.bn_nas import n4_stopwatch, n5_found
from bnlab.chapters.bn_nas.paper import CHEN, GAP
from bnlab.verdicts.verdict import Claim, Effect

N4 = Claim(
    id="N4",
    **CHEN,
    sentence="To evaluate an architecture becomes more than 600,000 times faster.",
    falsifier=(
        "The score of an architecture takes more than a thousandth of the time of an evaluation, "
        "its table made once for all, or made anew for each architecture."
    ),
    prediction=(
        "It depends on the table. Trials with two units: an evaluation took 30 milliseconds, a "
        "score 1.4 microseconds if its table is there, which is 21,000 times less, and 0.14 "
        "milliseconds, 210 times less, if it is made anew. With the supernet's training, a search "
        "among 1,000 candidates became eleven times faster. Evaluations of larger nets with more "
        "images would make any factor."
    ),
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
            predicted=(4.0, 4.6),
        ),
        Effect(
            "indicator",
            "the same, the table made for each architecture",
            "decades",
            3.0,
            says="a score whose table is made for each architecture is a thousand times faster",
            predicted=(2.0, 2.6),
        ),
    ),
    core=("lookup", "indicator"),
    setting="whether the table is made once or for each architecture",
    answer=(
        "The authors could answer: their code makes the table once, and nobody would make it for "
        "each candidate. The dispute is about what to count: with the supernet's training, and "
        "with the training of what is found, the factor of a whole search is small. The hours of "
        "whole searches on one machine would tell."
    ),
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
    prediction=(
        "It does not hold here. Trials with two units: the best by accuracy was 9 and 3 points "
        "better than the best by score, which was 1 and 10 points better than a random net of its "
        "size. With a limit on FLOPs the score takes as many layers as it can, the accuracy also "
        "looks at which."
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
            says="what the score finds is as accurate as what the supernet's accuracy finds",
            predicted=(0.01, 0.1),
        ),
        Effect(
            "beyond_random",
            "test accuracy trained alone, best by score minus a random net of its size",
            "",
            0.0,
            says="it is more accurate than a random net of its size",
            predicted=(-0.02, 0.08),
        ),
    ),
    core=("lost",),
    answer=(
        "The authors could answer: their nets are trained to the end, where differences that a "
        "short training shows may vanish; and all nets of their space have one depth. "
        "What both searches find on ImageNet, trained to the end with several seeds, would tell."
    ),
    measure=n5_found.measure,
    options=("base",),
    values=n5_found.values,
    facts=n5_found.facts,
    runs={"digits": n5_found.BASE},
)
