"""Chen et al. 2021, *BN-NAS*: BatchNorm's scales as scores of architectures.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds (``setups``); they are not counted. Sixteen units were planned;
the first twelve were measured, as time was short. That was decided before any result was seen.
"""

from __future__ import annotations

from bnlab.chapters.bn_nas import n1_early_rank, n2_norms_only, n3_shorter
from bnlab.chapters.bn_nas.paper import CHEN, GAP
from bnlab.chapters.bn_nas.speed_claims import N4, N5
from bnlab.verdicts.verdict import Change, Claim, Effect


def _ties(first_result: str) -> Change:
    return Change(
        day="2026-11-29",
        what="A tie gains nothing: tau-a takes the place of tau-b, on the same rows.",
        why="Two of five pairs of nets have equally many layers. Tau-b leaves out what a score "
        "ties, and so put the number of layers above a score that adds noise to it. "
        f"{first_result}",
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
    prediction=(
        "It depends on what differs. Trials with two or three units: after a quarter of the steps "
        "a τ of 0.3 to 0.4 among all nets, about 0 among nets with equally many layers, where it "
        "comes late (0.3 after all steps). Counting does better: τ 0.45 for layers, 0.47 for "
        "FLOPs and 0.57 for parameters, as much as the noise ceiling, which was 0.5. The scales "
        "start at 1, so that before training the score is the number of layers; training first "
        "blurs that."
    ),
    gap=GAP,
    effects=(
        Effect(
            "early",
            "τ of the score after a quarter of the steps with the accuracy of nets trained alone",
            "of τ",
            0.2,
            says="the score ranks nets early when their numbers of layers differ",
            predicted=(0.25, 0.45),
        ),
        Effect(
            "alike",
            "the same τ, among nets with equally many layers",
            "of τ",
            0.2,
            says="the score ranks nets early that have equally many layers",
            predicted=(-0.1, 0.2),
        ),
        Effect(
            "beyond_layers",
            "τ of the score after a quarter of the steps minus τ of the number of layers",
            "of τ",
            0.0,
            says="it ranks better than the number of layers, the score before any training",
            predicted=(-0.25, -0.02),
        ),
        Effect(
            "beyond_macs",
            "the same minus τ of the FLOPs",
            "of τ",
            0.0,
            says="it ranks better than FLOPs",
            predicted=(-0.25, 0.0),
        ),
        Effect(
            "beyond_parameters",
            "the same minus τ of the number of parameters",
            "of τ",
            0.0,
            says="it ranks better than the number of parameters",
            predicted=(-0.35, -0.1),
        ),
    ),
    core=("early", "alike"),
    setting="whether the nets differ in their number of layers",
    answer=(
        "The authors could answer: their supernet trains each block hundreds of times more often "
        "before it is read, and here too the score comes to know nets of equal depth the longer "
        "the supernet trains. A supernet on CIFAR-10 or ImageNet, trained for epochs, beside "
        "counts of FLOPs and parameters, would tell."
    ),
    changes=(
        _ties(
            "With tau-b the score after a quarter of the steps ranked worse than layers, by 0.08."
        ),
    ),
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
    prediction=(
        "Trials with two units: after all steps a τ of 0.55 with all weights trained, 0.47 with "
        "the normalizers, 0.2 with the last ones alone, whose supernet stays at chance; 0.53 for "
        "the number of layers. So the last normalizers alone are worse, and the seeds may not "
        "decide about all of them; neither knows more than the number of layers."
    ),
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
            predicted=(-0.05, 0.15),
        ),
        Effect(
            "last_less",
            "the same, only those of each operation's last normalizer",
            "of τ",
            0.1,
            kind="same",
            upper=True,
            says="it ranks as well when only the last normalizers are trained",
            predicted=(0.1, 0.35),
        ),
        Effect(
            "norms_learned",
            "τ of the score, only the normalizers trained, minus τ of the number of layers",
            "of τ",
            0.0,
            says="with the normalizers trained it knows more than the number of layers",
            predicted=(-0.15, 0.05),
        ),
        Effect(
            "last_learned",
            "the same, only the last normalizers trained",
            "of τ",
            0.0,
            says="with the last normalizers trained it knows more than the number of layers",
            predicted=(-0.35, -0.05),
        ),
    ),
    core=("norms_less", "last_less"),
    setting="which normalizers are trained",
    answer=(
        "The authors could answer: their nets are far wider, and random convolutions of a wide "
        "net already have the features that its normalizers choose from. The same supernets, many "
        "times as wide, with nets alone of that width as the truth, would tell."
    ),
    changes=(
        _ties(
            "With tau-b the score of trained normalizers was not shown to know more than layers."
        ),
    ),
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
    prediction=(
        "Trials with three units: a τ of 0.37 for the accuracy after all steps, 0.31 for the "
        "score after a tenth, 0.42 after all, and 0.45 for the number of layers. So the seeds may "
        "not decide the first part. It is cheap, if it holds: before any step the score ranks "
        "better than after a tenth."
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
            says="after a tenth of the steps the score ranks as well as accuracy after all",
            predicted=(-0.05, 0.2),
        ),
        Effect(
            "learned",
            "τ of the score after a tenth of the steps minus τ of the number of layers",
            "of τ",
            0.0,
            says="it then ranks better than before any step",
            predicted=(-0.25, -0.02),
        ),
        Effect(
            "grows",
            "τ of the score after all steps minus τ after a tenth",
            "of τ",
            0.1,
            kind="same",
            upper=True,
            says="more steps would not make it better",
            predicted=(0.0, 0.25),
        ),
    ),
    core=("tenth",),
    answer=(
        "The authors could answer: a tenth of their training is ten epochs, a tenth of ours forty "
        "batches, in which each block is trained eight times. And the accuracy that is the rival "
        "here comes from a supernet that is young itself. Longer trainings of both would tell."
    ),
    changes=(
        _ties("With tau-b the score after a tenth of the steps ranked worse than before, by 0.12."),
    ),
    measure=n3_shorter.measure,
    options=("base", "earlier"),
    values=n3_shorter.values,
    facts=n3_shorter.facts,
    runs={"digits": n3_shorter.BASE},
)

CLAIMS = (N1, N2, N3, N4, N5)
