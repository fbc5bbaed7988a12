"""The rows of the decision guide: situations, advice, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Facts = Mapping[str, Mapping[str, object]]

SOURCES = {
    "ba2016": ("Ba, Kiros and Hinton 2016", "https://arxiv.org/abs/1607.06450"),
    "bhatt2024": ("Bhatt and others 2024", "https://arxiv.org/abs/1902.05605"),
    "brock2021": ("Brock and others 2021", "https://arxiv.org/abs/2102.06171"),
    "chen2021bnn": ("Chen, Zhang and others 2021", "https://arxiv.org/abs/2104.08215"),
    "de2020": ("De and Smith 2020", "https://arxiv.org/abs/2002.10444"),
    "gallici2025": ("Gallici and others 2025", "https://arxiv.org/abs/2407.04811"),
    "gulrajani2017": ("Gulrajani and others 2017", "https://arxiv.org/abs/1704.00028"),
    "he2020": ("He and others 2020", "https://arxiv.org/abs/1911.05722"),
    "hoffer2017": ("Hoffer, Hubara and Soudry 2017", "https://arxiv.org/abs/1705.08741"),
    "jacob2018": ("Jacob and others 2018", "https://arxiv.org/abs/1712.05877"),
    "peng2018": ("Peng and others 2018", "https://arxiv.org/abs/1711.07240"),
    "ulyanov2016": ("Ulyanov, Vedaldi and Lempitsky 2016", "https://arxiv.org/abs/1607.08022"),
    "wu2018": ("Wu and He 2018", "https://arxiv.org/abs/1803.08494"),
    "wu2021": ("Wu and Johnson 2021", "https://arxiv.org/abs/2105.07576"),
    "xiong2020": ("Xiong and others 2020", "https://arxiv.org/abs/2002.04745"),
    "zhang2019fixup": ("Zhang, Dauphin and Ma 2019", "https://arxiv.org/abs/1901.09321"),
    "zhang2019rms": ("Zhang and Sennrich 2019", "https://arxiv.org/abs/1910.07467"),
    "zhu2025": ("Zhu and others 2025", "https://arxiv.org/abs/2503.10622"),
}
"""How the guide names the papers that it rests on; the keys are those of references.bib."""


@dataclass(frozen=True)
class Row:
    """A situation and what to do in it.

    Attributes:
        when: the situation.
        advice: what to do.
        why: the reason, in a sentence or two.
        measured: what this book measured about it, with fields such as ``{R3[gain_4]:.1f}``.
        claims: ids of the claims whose facts are used, or that bear on the advice.
        carries: whether these facts still carry the advice; none without facts.
        literature: keys of ``SOURCES``.

    Raises:
        ValueError: for a row that rests on nothing, or states facts that nothing guards.
    """

    when: str
    advice: str
    why: str
    measured: str = ""
    claims: tuple[str, ...] = ()
    carries: Callable[[Facts], bool] | None = None
    literature: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.measured and not self.literature:
            raise ValueError(f"{self.when}: say what was measured, or name a source.")
        if bool(self.measured) != (self.carries is not None):
            raise ValueError(
                f"{self.when}: measured facts need a guard 'carries', others have none."
            )


def _batch_of(facts: Facts, norm: str, size: int) -> float:
    return facts["R3"][f"test_running_{norm}_{size}"]


ROWS = (
    Row(
        "An ordinary image net, batches of 32 or more",
        "BatchNorm, with a learning rate tuned for it.",
        "It keeps activations and gradients at one scale, tolerates larger rates, and costs "
        "nothing at inference.",
        "In a perceptron of 12 layers the largest usable rate is {B1[ratio_12]:.0f} times as large "
        "as without a normalizer, and at each one's best rate BatchNorm is {B1[own_12]:.1f} points "
        "ahead; with 6 layers, {B1[own_6]:.1f} points.",
        ("B1", "B2", "S1"),
        lambda f: f["B1"]["ratio_12"] > 2 and f["B1"]["own_12"] > 0,
    ),
    Row(
        "Small batches: four samples or fewer to normalize over",
        "Group norm. If you must keep BatchNorm: synchronize it over devices, or take Batch "
        "Renormalization, from four samples on.",
        "The statistics of a few samples are noise, and differ from those used at inference.",
        "With 4 samples: group norm {R3[test_running_group_4]:.0f} %, Batch Renormalization "
        "{R3[test_running_batch_renorm_4]:.0f}, BatchNorm {R3[test_running_batch_4]:.0f}. With 2: "
        "{R3[test_running_group_2]:.0f}, {R3[test_running_batch_renorm_2]:.0f} and "
        "{R3[test_running_batch_2]:.0f} % (a perceptron; test images).",
        ("R3", "R2"),
        lambda f: (
            _batch_of(f, "group", 2) > _batch_of(f, "batch", 2) + 10
            and _batch_of(f, "group", 4) > _batch_of(f, "batch", 4)
            and _batch_of(f, "batch_renorm", 4) > _batch_of(f, "batch", 4)
        ),
        ("wu2018", "wu2021"),
    ),
    Row(
        "Gradient accumulation",
        "Count the samples of a micro-batch, not of the step: eight times four is four for "
        "BatchNorm. Use group norm, or larger micro-batches.",
        "Gradients add up over micro-batches; statistics do not. It is ghost BatchNorm.",
        "With the gradient over 32 samples and statistics over four, BatchNorm reaches "
        "{R3[test_running_batch_4]:.0f} % instead of {R3[test_running_batch_32]:.0f} %.",
        ("R3",),
        lambda f: _batch_of(f, "batch", 4) < _batch_of(f, "batch", 32),
        ("hoffer2017",),
    ),
    Row(
        "Batches that are not independent: one class, one patient, frames of one film",
        "Group norm, or shuffle the batches; not BatchNorm.",
        "BatchNorm learns to use what the batch tells about its samples, and that is missing at "
        "inference.",
        "Where each group that is normalized holds one class, BatchNorm loses "
        "{R4[lost_batch]:.0f} points, Batch Renormalization {R4[lost_batch_renorm]:.0f}, and group "
        "norm none ({R4[test_running_group_pure]:.0f} %).",
        ("R4",),
        lambda f: (
            f["R4"]["lost_batch"] > 10
            and f["R4"]["test_running_group_pure"] > f["R4"]["test_running_batch_mixed"] - 2
        ),
        ("wu2021",),
    ),
    Row(
        "Fine-tuning a net that has BatchNorm",
        "With few or small batches freeze the statistics: put the BatchNorm layers into evaluation "
        "mode after each call of model.train(). Train or freeze γ and β as you like.",
        "requires_grad=False stops γ and β, not the running statistics; those follow the new data.",
        literature=("wu2021",),
    ),
    Row(
        "Detection and segmentation: large images, one or two a device",
        "Group norm, synchronized BatchNorm, or frozen BatchNorm from pre-training.",
        "A device sees too few images for statistics of its own.",
        literature=("wu2018", "peng2018", "wu2021"),
    ),
    Row(
        "Recurrent nets and transformers",
        "Layer norm, or RMS norm, which is cheaper; before each sub-layer rather than after it.",
        "Sequences differ in length and content, so a sample should not depend on its neighbours; "
        "with the norm before the sub-layer, training needs less warm-up. Some new nets replace it "
        "by a fixed function, with mixed reports.",
        literature=("ba2016", "zhang2019rms", "xiong2020", "zhu2025"),
    ),
    Row(
        "A very deep residual net without BatchNorm, or with normalized weights",
        "Start each branch at (nearly) zero: SkipInit or Fixup. With normalized weights add "
        "adaptive gradient clipping for large batches.",
        "Otherwise each block adds its variance to the stream, and it grows exponentially.",
        "With scaled weight standardization the variance grows {L1[sws]:power} times over "
        "{L1[blocks]} blocks before the first step; with SkipInit, {L1[sws_skipinit]:.1f} times.",
        ("L1", "B3"),
        lambda f: f["L1"]["sws"] > 10 * f["L1"]["sws_skipinit"],
        ("de2020", "zhang2019fixup", "brock2021"),
    ),
    Row(
        "You are bound to a small learning rate",
        "Train long enough before you compare; then choose by other reasons.",
        "In a short training at a small rate BatchNorm is behind; that is about speed.",
        "At rate {B1[small_lr]:g}, ten times as many steps bring BatchNorm to "
        "{B1[batch_long]:.0f} % and no normalizer to {B1[none_long]:.0f} %.",
        ("B1",),
        lambda f: abs(f["B1"]["behind_long"]) < 2,
    ),
    Row(
        "You look for one normalizer for everything",
        "There is none. Take the default of your kind of net, and tune its rate.",
        "What is best in one net may be far behind in another.",
        "Between the best and the worst of four normalizers lie {L6[gap_plain10]:.0f} points in a "
        "plain net and {L6[gap_resnet]:.0f} in a residual one.",
        ("L6",),
        lambda f: f["L6"]["gap_plain10"] > 5 and f["L6"]["gap_resnet"] > 5,
    ),
    Row(
        "Binary nets",
        "Keep BatchNorm, unless you follow a recipe without it as a whole.",
        "The sign needs activations that are centred; the recipe without BatchNorm replaces it by "
        "scaled weights and adaptive clipping. This book has not measured it yet.",
        claims=("BNN1",),
        literature=("chen2021bnn",),
    ),
    Row(
        "Style transfer and image generation by style",
        "Instance norm.",
        "It removes the contrast of each image, which is part of its style.",
        literature=("ulyanov2016",),
    ),
    Row(
        "GAN critics with a gradient penalty",
        "No BatchNorm in the critic; layer norm instead.",
        "The penalty is about the gradient for one sample, and BatchNorm makes each output depend "
        "on all samples.",
        literature=("gulrajani2017",),
    ),
    Row(
        "Contrastive learning",
        "Shuffle or synchronize the statistics, or use a norm without a batch.",
        "The statistics leak which samples belong together, and the net solves the task by them.",
        literature=("he2020", "wu2021"),
    ),
    Row(
        "Reinforcement learning",
        "Layer norm in value nets; Batch Renormalization or BatchNorm only in designs made for it.",
        "The data change with the policy, so running statistics are always late.",
        literature=("gallici2025", "bhatt2024"),
    ),
    Row(
        "Inference must be cheap",
        "BatchNorm, folded into the layer before it.",
        "With fixed statistics it is a scale and a shift for each channel; norms of the sample "
        "itself must be computed each time.",
        literature=("jacob2018",),
    ),
)
