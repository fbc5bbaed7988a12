"""T3 and T4: statistics that move in a frozen net, and those of accumulated batches."""

from __future__ import annotations

from bnlab.chapters.clinic import t3_frozen, t4_accumulation
from bnlab.chapters.clinic.setting import GAP, PRACTITIONERS
from bnlab.verdicts.verdict import Claim, Effect

T3 = Claim(
    id="T3",
    **PRACTITIONERS,
    sentence=(
        "requires_grad=False does not freeze a BatchNorm: its running statistics go on moving, and "
        "the frozen net forgets; only evaluation mode freezes it."
    ),
    falsifier=(
        "After fine-tuning with all but the last layer frozen by requires_grad=False, the net with "
        "its old last layer has lost less than a point of its old test accuracy."
    ),
    prediction=(
        "It holds: the statistics become those of the new digits. Not by much, as digits 5 to 9 "
        "have strokes like those of 0 to 4: in trial runs 1 to 9 points were lost. In evaluation "
        "mode nothing at all can move. With batches of four the new task is learned better in "
        "evaluation mode, by 4 to 15 points, since the statistics of four images are noise; a net "
        "that is free learns it best."
    ),
    gap=GAP.format(depth="four", steps=f"{t3_frozen.BASE.steps} and as many more")
    + " The threads fine-tune nets that were trained on ImageNet.",
    effects=(
        Effect(
            "drift",
            "test accuracy on the old digits, before minus after, requires_grad=False alone",
            "",
            0.01,
            says="a net that is frozen by requires_grad=False forgets",
            predicted=(0.015, 0.08),
        ),
        Effect(
            "kept",
            "the same in evaluation mode, or how far its running means moved, whichever is more",
            "",
            0.0,
            kind="identity",
            says="in evaluation mode nothing moves",
            predicted=(0.0, 0.0),
        ),
        Effect(
            "new",
            "test accuracy on the new digits, evaluation mode minus requires_grad=False alone",
            "",
            0.02,
            says="the new task is learned better in evaluation mode",
            predicted=(0.03, 0.12),
        ),
        Effect(
            "free",
            "test accuracy on the new digits, all of the net trained minus evaluation mode",
            "",
            0.02,
            says="freezing has a price: a net that is free learns the new task better",
            predicted=(0.03, 0.13),
        ),
    ),
    answer=(
        "New images that differ more from the old ones than digits do would move the statistics "
        "further, and batches of 32 move them with less noise: in trial runs with such batches "
        "evaluation mode had no advantage on the new task."
    ),
    measure=t3_frozen.measure,
    options=("tuning", "base", "rates"),
    values=t3_frozen.values,
    facts=t3_frozen.facts,
    repeat=t3_frozen.repeat,
    runs={"digits": t3_frozen.BASE},
)

T4 = Claim(
    id="T4",
    **PRACTITIONERS,
    sentence=(
        "Accumulating the gradients of eight batches of four is not training on a batch of 32 if "
        "the net has BatchNorm: to BatchNorm it is a batch of four."
    ),
    falsifier=(
        "The accumulated gradient differs by less than a tenth from that of the batch of 32, "
        "before and after training."
    ),
    prediction=(
        "It holds, as an identity makes it: the accumulated gradient is that of Ghost Batch "
        "Normalization with groups of four. In trial runs it was two to three times its own length "
        "away from that of the batch of 32, at the least. Trained so, a net loses some points "
        "against the batch of 32 and is about level with batches of four."
    ),
    gap=GAP.format(depth="four", steps=t4_accumulation.BASE.steps)
    + " The running statistics move once a step in ghost batches and eight times in accumulation; "
    "the gradients do not depend on them.",
    effects=(
        Effect(
            "whole",
            "distance between the accumulated gradient and that of the batch of 32, before or "
            "after training, whichever is less",
            "of the gradient",
            0.1,
            says="the accumulated gradient is not that of the batch of 32",
            predicted=(1.5, 4.0),
        ),
        Effect(
            "ghost",
            "distance between the accumulated gradient and that of groups of four, in parts of it",
            "decades",
            -9.0,
            kind="identity",
            says="it is that of ghost batches of four",
            predicted=(-17.0, -12.0),
        ),
        Effect(
            "layer",
            "distance between the accumulated gradient and that of the batch of 32, with layer "
            "normalization",
            "decades",
            -9.0,
            kind="identity",
            says="with layer normalization it is that of the batch of 32",
            predicted=(-17.0, -12.0),
        ),
        Effect(
            "accuracy",
            "test accuracy, batches of 32 minus groups of four in them",
            "",
            0.01,
            says="trained so, the net is worse than with batches of 32",
            predicted=(0.02, 0.07),
        ),
        Effect(
            "small",
            "test accuracy, groups of four in batches of 32 minus batches of four",
            "",
            0.03,
            kind="same",
            says="it is as good as with batches of four",
            predicted=(-0.03, 0.02),
        ),
    ),
    answer=(
        "Where four images are thousands of positions the statistics of four are nearly those of "
        "32, and the difference may not matter. Convolutional nets on larger images would meet "
        "this."
    ),
    measure=t4_accumulation.measure,
    options=("tuning", "base"),
    values=t4_accumulation.values,
    facts=t4_accumulation.facts,
    repeat=t4_accumulation.repeat,
    runs={"digits": t4_accumulation.BASE},
)
