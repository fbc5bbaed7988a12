"""The figures of chapter 02."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from bnlab.chapters.signals.b3_to_b6_l1_at_start import BASE, PAIR, column
from bnlab.chapters.signals.b8_matrix_products import COUNTS
from bnlab.draw.figure import Drawing, band, curve, draw, label, panel, plain_log
from bnlab.draw.style import STYLE
from bnlab.draw.words import power
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.table import Table

BLOCKS = np.arange(1, BASE.depth + 1)
PANELS = (  # which nets share a panel in the figure of L1
    ("Of activations: blocks add, at most {:.1f} times", ("batch", "layer", "group", "instance")),
    ("Of weights: blocks multiply, up to {} times", ("weight_norm", "sws", "sws_skipinit")),
)
MATRICES = ("one matrix", "product of three", "of five")
OFFSETS = {"batch": 4, "instance": -12, "group": 4, "layer": -12}  # of labels beside the ends
LOOKS = {"sws": "scaled_weight_standardization", "sws_skipinit": "scaled_weight_standardization"}
NAMES = {"sws_skipinit": "with SkipInit"}


def spread(
    axes: Axes, name: str, values: np.ndarray, layers: np.ndarray | None = None, **options: object
) -> np.ndarray:
    """A net's median curve over the layers, in the band of all seeds; gives the median."""
    layers = np.arange(1, values.shape[1] + 1) if layers is None else layers
    look, middle = LOOKS.get(name, name), np.median(values, axis=0)
    band(axes, look, layers, values.min(0), values.max(0))
    curve(axes, look, layers, middle, ms=4, **options)
    return middle


def _end(axes: Axes, name: str, middle: np.ndarray, text: str = "", **options: object) -> None:
    text = text or NAMES.get(name, "")
    place = {"ha": "right", "xytext": (0, 8), **options}
    label(axes, LOOKS.get(name, name), len(middle), middle[-1], text, **place)


def deviations(evidence: Evidence) -> Drawing:
    """Standard deviation at each block: where branches add up, and inside of the branches."""
    data, facts, seeds = evidence.data, evidence.facts, len(evidence.data["seeds"])
    grown = {name: power(value) for name, value in facts.items()}
    sums, inside = (
        panel(
            "Where branches add up: {none_growth}× without, {batch_growth}× with BatchNorm".format(
                **grown
            )
        ),
        panel(
            "In the branches: {none_first}× without, {batch_first}× or {batch_second}× with "
            "BatchNorm".format(**grown)
        ),
    )
    for net in PAIR:
        _end(sums, net, spread(sums, net, column(data, net, "blocks")))
    for net, first, text in (
        ("none", 0, ""),
        ("batch", 0, "batch norm, first"),
        ("batch", 1, "second"),
    ):
        style = {"linestyle": ":", "marker": "o"} if first else {}
        middle = spread(inside, net, column(data, net, "convolutions")[:, first::2], **style)
        _end(inside, net, middle, text, xytext=(0, 6 if first else 8))
    for axes in (sums, inside):
        plain_log(axes, "y")
        axes.set(xlabel="block", ylabel="standard deviation", xticks=[1, 6, 12, 18])
    alt = (
        "Standard deviation of the channels against the block. At the outputs of the blocks it "
        "grows {none_growth} times from first to last without a normalizer, {batch_growth} times "
        "with BatchNorm. After the first convolution of a branch it grows {none_first} times "
        "without and {batch_first} times with BatchNorm; after the second one {batch_second} times "
        "with BatchNorm."
    ).format(**grown)
    caption = (
        f"Median over {seeds} seeds; the shade spans all of them. At the start, 128 digits. "
        "In b, first and second: after which convolution of a branch, before its BatchNorm."
    )
    return draw((sums, inside), alt, caption)


def sums(evidence: Evidence) -> Drawing:
    """Absolute contributions over absolute sum, and the share that no image decides."""
    data, facts, seeds = evidence.data, evidence.facts, len(evidence.data["seeds"])
    ratio = panel(
        "Parts over sum: {none_ratio:.1f} without, {batch_ratio:.0f} with BatchNorm".format(**facts)
    )
    share = panel(
        "Common to a class: {none_given_label:.0%} without, {batch_given_label:.0%} with "
        "BatchNorm".format(**facts)
    )
    for net in PAIR:
        middle = spread(ratio, net, column(data, net, "ratio"))
        label(ratio, net, 19, middle[18], xytext=(20, 26))
        middle = spread(share, net, column(data, net, "given_label"))
        label(share, net, 12, middle[11], xytext=(0, 18))
        middle = spread(share, net, column(data, net, "common"), linestyle=":", marker="")
        if net == "none":
            label(share, net, 10, middle[9], "common to all", xytext=(0, -20))
    plain_log(ratio, "y", [1, 3, 10, 30, 100])
    ratio.set(xlabel="convolution", ylabel="parts over sum", ylim=(0.8, 200))
    share.set(xlabel="convolution", ylabel="share of the gradient", ylim=(-0.05, 1.25))
    share.set_yticks([0, 0.25, 0.5, 0.75, 1])
    alt = (
        "Two panels, by convolution. Sum of the absolute contributions to a kernel's gradient over "
        "their absolute sum: median {none_ratio:.1f} without a normalizer, {batch_ratio:.0f} with "
        "BatchNorm. Share of an image's gradient that all images of its class have in common: "
        "median {none_given_label:.0%} without, {batch_given_label:.0%} with, and near the output "
        "{batch_given_label_last:.0%} with. Share that all images have in common: "
        "{none_common:.0%} without, none with."
    ).format(**facts)
    caption = (
        f"Median over {seeds} seeds; the shade spans all of them. In a, the sum of the absolute "
        "contributions over the absolute value of their sum; 1 if all share their sign. In b, of "
        "an image's gradient: what all images of its class have in common (solid), and what all "
        "images have in common (dotted)."
    )
    return draw((ratio, share), alt, caption)


def gradient_sizes(evidence: Evidence) -> Drawing:
    """Size of the weight gradients of each convolution."""
    data, seeds = evidence.data, len(evidence.data["seeds"])
    axes = panel("")
    middle = {net: spread(axes, net, column(data, net, "std")) for net in PAIR}
    for net in PAIR:
        _end(axes, net, middle[net], xytext=(0, 14))
    ratio = 10 ** evidence.values["size"].mean()
    axes.set_title(f"{power(ratio)} times as large without a normalizer")
    plain_log(axes, "y")
    axes.set(xlabel="convolution", ylabel="rms of the weight gradient")
    alt = (
        "Size of the weight gradients of each convolution: without a normalizer "
        f"{power(ratio)} times as large as with BatchNorm."
    )
    caption = f"Median over {seeds} seeds; the shade spans all of them."
    return draw([axes], alt, caption)


def classes(evidence: Evidence) -> Drawing:
    """Share of the images that get the most frequent class, seed by seed, sorted."""
    facts, axes = evidence.facts, panel("")
    for net in PAIR:
        shares = np.sort(column(evidence.data, net, "share"))
        curve(axes, net, np.arange(1, len(shares) + 1), shares, ms=5)
        label(axes, net, 4, shares[3], xytext={"none": (0, 8), "batch": (60, -8)}[net])
    axes.set_title("One class: {none_share:.0%} without, {batch_share:.0%} with".format(**facts))
    axes.set(xlabel="seed, sorted", ylabel="share of the images", ylim=(0, 1.15))
    axes.set_xticks([1, len(shares)])
    alt = (
        "Share of the images that get the most frequent class, one point a seed, sorted. On "
        f"average {facts['none_share']:.0%} without a normalizer, {facts['batch_share']:.0%} with "
        "BatchNorm."
    )
    caption = (
        "Share of 512 digits that get the most frequent class, at the start, a point a seed. If "
        "all classes came equally often it would be 0.1."
    )
    return draw([axes], alt, caption)


def growth(evidence: Evidence) -> Drawing:
    """Variance of each block's output for normalizers of activations and of weights."""
    data, seeds = evidence.data, len(evidence.data["seeds"])
    activations, weights = panel("", size=(4.9, 3.9)), panel("", size=(4.9, 3.9))
    grown = {}
    for axes, (title, nets) in zip((activations, weights), PANELS, strict=True):
        for net in nets:
            style = {"linestyle": ":", "marker": "o"} if net == "sws_skipinit" else {}
            middle = spread(axes, net, column(data, net, "variance"), **style)
            grown[net] = middle[-1] / middle[0]
            if net in OFFSETS:
                _end(
                    axes, net, middle, text=STYLE[net]["short"], xytext=(7, OFFSETS[net]), ha="left"
                )
            else:
                _end(axes, net, middle)
        largest = max(grown[net] for net in nets)
        axes.set_title(title.format(largest if axes is activations else power(largest)))
        axes.set(xlabel="block", ylabel="variance of the output")
        axes.set_xticks([1, 6, 12, 18])
    activations.set(xlim=(0, 23), ylim=(0, None))
    plain_log(weights, "y")
    factors = ", ".join(
        f"{NAMES.get(net, STYLE[LOOKS.get(net, net)]['label'])} {power(factor)}"
        for net, factor in grown.items()
    )
    alt = (
        "Variance of each block's output against the block, on a linear axis for normalizers of "
        "activations, on a logarithmic one for those of weights. From first to last block it grows "
        f"by these factors: {factors}. With normalizers of activations it starts anew in the middle"
        ", where the channels double."
    )
    caption = (
        f"Median over {seeds} seeds; the shade spans all of them. At the start, 128 digits. The "
        "axis is linear in a, logarithmic in b. At block 10 the shortcut itself is normalized."
    )
    return draw((activations, weights), alt, caption)


def singular_values(evidence: Evidence) -> Drawing:
    """Singular values of products of one, three and five matrices, sorted."""
    quantiles = Table.of(evidence.data).column("quantiles").mean(0)
    facts, axes = evidence.facts, panel("")
    share = np.linspace(1, 0, quantiles.shape[1])
    for k, text in enumerate(MATRICES):
        look = {"marker": "", "linestyle": ("-", "--", ":")[k], "label": text}
        curve(axes, "none", share, quantiles[k], **look)
    axes.legend(frameon=False, fontsize=12, loc="lower left", labelcolor="linecolor")
    axes.set_title(
        f"Five matrices: largest {facts['largest_5']:.1f}, theory {facts['theory_5']:.1f}"
    )
    plain_log(axes, "y", [1e-4, 1e-3, 0.01, 0.1, 1])
    axes.set(xlabel="share of larger values", ylabel="singular value", ylim=(3e-5, 6))
    alt = (
        "Singular values of products of random matrices, sorted. "
        + "; ".join(
            f"{count}: largest {facts[f'largest_{count}']:.2f}, theory "
            f"{facts[f'theory_{count}']:.2f}, condition number {power(facts[f'condition_{count}'])}"
            for count in COUNTS
        )
        + "."
    )
    return draw([axes], alt, "Singular values of products, sorted; mean over the seeds.")


FIGURES = {
    "B3": deviations,
    "B4": gradient_sizes,
    "B5": sums,
    "B6": classes,
    "B8": singular_values,
    "L1": growth,
}
