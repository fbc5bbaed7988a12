"""What a measurement does around its passes: the mode, gradients in full, all given back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import nn

from bnlab.measure.kit.arguments import check_mode
from bnlab.measure.kit.untouched import untouched


@contextlib.contextmanager
def measuring(net: nn.Module, mode: str | None) -> Iterator[str]:
    """Put the net into a mode for a measurement; on leaving, it is as it was, bit for bit.

    Embeddings give gradients in full inside, also where they are made to give sparse ones.

    Args:
        net: any module.
        mode: ``train``, ``eval``, or None for the mode that each module has.

    Yields:
        The mode in which the net is: ``train``, ``eval``, or ``mixed`` if modules differ.

    Raises:
        ValueError: for another mode.
    """
    check_mode(mode)
    sparse = [module for module in net.modules() if _is_sparse(module)]
    with untouched(net):
        if mode is not None:
            net.train(mode == "train")
        try:
            for module in sparse:
                module.sparse = False
            yield _mode_of(net)
        finally:
            for module in sparse:
                module.sparse = True


def _mode_of(net: nn.Module) -> str:
    modes = {module.training for module in net.modules()}
    if len(modes) > 1:
        return "mixed"
    return "train" if modes.pop() else "eval"


def _is_sparse(module: nn.Module) -> bool:
    return isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.sparse
