"""Does the scale of BatchNorm predict which subnet of a supernet is good?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bnlab.arguments import checked
from bnlab.measure.kit.arguments import check_weights
from bnlab.measure.kit.coverage import Coverage, Reason, covering
from bnlab.measure.ranking.ranking import (
    Agreement,
    agreement_beyond,
    check_truth,
    noise_ceiling,
    rank_agreement,
)
from bnlab.nets.architecture import bn_indicator, macs
from bnlab.nets.supernet import MBConv, Supernet

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing

INDICATOR, LAYERS, SIZE = "BN indicator", "number of layers", "size (MACs)"


@dataclass(frozen=True, eq=False)
class Indicator(Coverage):
    """Scores of subnets, and how well they order the subnets that were trained alone.

    Attributes:
        scores: the BN indicator of each subnet by each supernet, (K, A) float64.
        macs: multiply-accumulates of each subnet for one image, (A,) float64.
        truth: what the subnets reached when trained alone, one row a seed, (S, A) float64.
        agreement: Kendall's tau with the truth, of the indicator, of the number of layers, of the
            size, and of any other score that was given.
        ceiling: tau of the truth with itself, other seeds: as good as training each subnet again.
        beyond_size: tau of the indicator minus tau of the size, on the same subnets.
        size_in_score: tau between indicator and size: near 1, the indicator is a measure of size.
        covered, left_out: modules with weights of the first supernet, see ``Coverage``.
    """

    scores: np.ndarray = field(repr=False)
    macs: np.ndarray = field(repr=False)
    truth: np.ndarray = field(repr=False)
    agreement: dict[str, Agreement]
    ceiling: Agreement
    beyond_size: Agreement
    size_in_score: Agreement

    @property
    def tau(self) -> float:
        """Kendall's tau of the indicator with the truth."""
        return self.agreement[INDICATOR].tau

    def plot(self) -> Drawing:
        """A dot with its interval for each score, and the noise ceiling."""
        from bnlab.measure.ranking.figure import taus

        return taus(self)


@checked
def measure_indicator(
    nets: Supernet | Sequence[Supernet],
    paths: Sequence[Sequence[int]],
    truth: np.ndarray,
    image_shape: tuple[int, int, int],
    others: Mapping[str, np.ndarray] | None = None,
    seed: int = 0,
) -> Indicator:
    r"""Compare the order of subnets by the BN indicator with the order of their accuracies.

    S(path) = sum over layers of mean_c |weight_c| of the chosen operation's last BatchNorm, see
    ``bn_indicator``. Beside its agreement with the truth stand three others. The number of layers
    that are no identity is the indicator of an *untrained* supernet, whose scales are all 1: what
    the indicator knows without having learned. The size costs nothing either. And the truth agrees
    with itself no better than its noise allows (``noise_ceiling``). A score is worth something if
    it beats the first two and comes near the last. The nets stay as they are.

    Source: Chen et al. 2021 (BN-NAS, arXiv 2108.07375); claims N1 and N2.

    Args:
        nets: trained supernets, one or several (seeds), of one search space.
        paths: which subnets, A of them, all different.
        truth: accuracies of the subnets trained alone, one row a seed, (S, A), S of 2 or more.
        image_shape: (C, H, W), for the size.
        others: more scores by name, each (A,) or (K, A): accuracy in the supernet, say.
        seed: of the resampling for the intervals.

    Raises:
        ValueError: for supernets of different spaces, without scales or with NaN, repeated paths,
            paths of another space, or a truth that does not fit them.
    """
    nets = [nets] if isinstance(nets, Supernet) else list(nets)
    if not nets or any(net.names != nets[0].names for net in nets):
        raise ValueError("nets must be one or more supernets with the same operations.")
    paths = [nets[0].check_path(path) for path in paths]
    if len(set(paths)) < len(paths):
        raise ValueError("a path is given twice: it would count as two subnets.")
    truth = check_truth(truth)
    if truth.shape[1] != len(paths):
        raise ValueError(f"truth has {truth.shape[1]} columns for {len(paths)} paths.")
    scores = np.array([_scores(net, paths) for net in nets])
    size = np.array([macs(nets[0], path, image_shape) for path in paths], dtype=np.float64)
    layers = [sum(op != "identity" for op in nets[0].named(path)) for path in paths]
    given = {INDICATOR: scores, LAYERS: np.array(layers), SIZE: size, **(others or {})}
    return Indicator(
        scores=scores,
        macs=size,
        truth=truth,
        agreement={name: rank_agreement(truth, one, seed) for name, one in given.items()},
        ceiling=noise_ceiling(truth, seed),
        beyond_size=agreement_beyond(truth, scores, size, seed),
        size_in_score=rank_agreement(size, scores, seed),
        **_coverage(nets[0]),
    )


def _coverage(net: Supernet) -> dict[str, object]:
    read = {f"{name}.norm3" for name, op in net.named_modules() if isinstance(op, MBConv)}
    reason = Reason("the score reads the scales of each operation's last normalizer alone")
    return covering(net, read, lambda *_: reason)


def _scores(net: Supernet, paths: list[tuple[int, ...]]) -> list[float]:
    check_weights(net)
    return [bn_indicator(net, path) for path in paths]
