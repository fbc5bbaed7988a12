"""Santurkar et al. 2018, S4 to S6: does BatchNorm make the loss smoother?

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds and other settings; they are not counted.
"""

from __future__ import annotations

from bnlab.chapters.covariate_shift.claims import GAP, SANTURKAR
from bnlab.chapters.smoothness import s4_along_gradient, s5_lp_norms, s6_theorem
from bnlab.verdicts.verdict import Claim, Effect

CHAPTER = {"chapter": "05_smoothness"}

S4 = Claim(
    id="S4",
    **SANTURKAR,
    **CHAPTER,
    sentence=(
        "Along the gradient BatchNorm shrinks the range of the loss, the change of the gradient "
        "and the effective smoothness β, most strongly early in the training."
    ),
    falsifier=(
        "Early in the training the range of the loss or the change of the gradient is not three "
        "times larger without a normalizer, or β is no larger; or the ratio of the ranges is as "
        "large late in the training."
    ),
    prediction=(
        "In trial runs the range and the change were five to twenty times larger without a "
        "normalizer, β at most about twice, and at depth 15 not at all. So β decides, and it may "
        "stay below its margin. Late, when the loss is nearly zero, the order turns."
    ),
    gap=GAP.format(steps=s4_along_gradient.BASE.steps)
    + " The steps along the gradient are those of the paper, in units of the learning rate. The "
    "verdict is taken at depth 6 and rate 0.1.",
    effects=(
        Effect(
            "range",
            "range of the loss along the gradient, no normalizer over BatchNorm, median over the "
            "early steps",
            "decades",
            0.5,
        ),
        Effect("change", "the same for the change of the gradient", "decades", 0.5),
        Effect("beta", "the same for the effective smoothness β", "decades", 0.1),
        Effect(
            "early",
            "the ratio of the ranges in early steps over that in the last third",
            "decades",
            0.1,
        ),
    ),
    measure=s4_along_gradient.measure,
    options=("places", "beside"),
    values=s4_along_gradient.values,
    facts=s4_along_gradient.facts,
    repeat=s4_along_gradient.repeat,
    runs={"digits": s4_along_gradient.BASE},
)

S5 = Claim(
    id="S5",
    **SANTURKAR,
    **CHAPTER,
    sentence=(
        "Normalizers that divide by the ℓ1, ℓ2 or ℓ∞ norm of the activations help about as much as "
        "BatchNorm, although they control no moments. In the deep linear net ℓ1 even beats it."
    ),
    falsifier=(
        "One of the three trains to more than twice the loss of BatchNorm, or does not shrink the "
        "range of the loss along the gradient; or ℓ1 is behind BatchNorm in the deep linear net."
    ),
    prediction=(
        "ℓ1 and ℓ2 are like BatchNorm, as in trial runs. ℓ∞ is a little behind. The deep linear "
        "net was not tried."
    ),
    gap=GAP.format(steps=s5_lp_norms.BASE.steps)
    + " Here the depth is 6. The paper gives the three norms in words; the constants are our "
    "reading.",
    effects=(
        Effect(
            "loss",
            "mean training loss over the run, the worst of the three over BatchNorm",
            "decades",
            0.3,
            kind="same",
            upper=True,
        ),
        Effect(
            "range",
            "range of the loss along the gradient early in the training, no normalizer over the "
            "worst of the three",
            "decades",
            0.5,
        ),
        Effect(
            "linear",
            "training loss of the deep linear net at the end, BatchNorm over ℓ1",
            "decades",
            0.0,
        ),
    ),
    measure=s5_lp_norms.measure,
    options=("tuning", "linear"),
    values=s5_lp_norms.values,
    facts=s5_lp_norms.facts,
    repeat=s5_lp_norms.repeat,
    runs={"digits": s5_lp_norms.BASE},
)

S6 = Claim(
    id="S6",
    **SANTURKAR,
    **CHAPTER,
    sentence=(
        "Where one BatchNorm is put in, the squared norm of the gradient of the activations is at "
        "most γ²/σ² times what it was without, less its part along the mean and its part along the "
        "normalized activations (theorem 4.1)."
    ),
    falsifier=(
        "The theorem, as its proof gives it, misses the gradient by more than the rounding of "
        "float64; or the right side is larger than γ²/σ² times the plain squared norm."
    ),
    prediction=(
        "It holds exactly, as an equality, with 1/m in the last term. As printed, with 1/√m, the "
        "bound is violated: a trial with random numbers showed that."
    ),
    gap=(
        "None for the theorem: it is about one layer, and any net will do. It says nothing of a "
        "net with BatchNorm in every layer. We test what is proved and report what is printed."
    ),
    effects=(
        Effect(
            "identity",
            "relative error of the equality with 1/m, the largest over the channels",
            "decades",
            -9.0,
            kind="same",
            upper=True,
        ),
        Effect(
            "smaller",
            "squared norm with BatchNorm over γ²/σ² times that without, median over the channels",
            "decades",
            0.0,
            kind="same",
            upper=True,
        ),
    ),
    measure=s6_theorem.measure,
    options=("depths",),
    values=s6_theorem.values,
    facts=s6_theorem.facts,
    runs={"digits": s6_theorem.BASE},
)

CLAIMS = (S4, S5, S6)
