"""One BatchNorm before the classifier, and no other."""

from __future__ import annotations

import copy

from torch import nn

from bnlab.arguments import checked
from bnlab.methods.places import last_linear, placed, replace
from bnlab.norms import make_norm


@checked
def head_norm(model: nn.Module, **options: object) -> nn.Module:
    """A copy of ``model`` with a BatchNorm on what its last Linear reads.

    Source: Bjorck et al. 2018, arXiv 1806.02375: one BatchNorm before the classifier, in a net that
    has none elsewhere. (MimicNorm's, after the classifier, is another one, see ``mimic``.)

    Args:
        model: a net whose last Linear is its classifier; its other normalizers stay.
        **options: options of the BatchNorm, such as ``momentum``, ``native``.

    Returns:
        The copy. ``model`` is not changed. Make its optimizer afterwards.

    Raises:
        ValueError: if there is no Linear, or for an unknown option.
    """
    out = copy.deepcopy(model)
    name, head = last_linear(out)
    norm = placed(make_norm("batch", head.in_features, **options), like=out).train(head.training)
    both = nn.Sequential(norm, head)
    both.training = head.training
    return replace(out, name, both)
