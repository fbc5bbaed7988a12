"""Where the programs of a net come from: the files of the book, or the compiler."""

from __future__ import annotations

from bnlab.data import load
from bnlab.engines.compiled import artefact
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.compiler.graph import NotSupportedError
from bnlab.engines.compiled.nets import Net, Store, compiled_here
from bnlab.engines.compiled.program import LARGEST_BATCH, LARGEST_SIDE
from bnlab.runs.optimizers import BASES
from bnlab.runs.run import Run


def store_for(net: Net, precision: str, extras: tuple[str, ...] = ()) -> Store:
    """The committed programs if they are enough, else what is compiled now.

    Raises:
        ValueError: if the net is not among them and there is no compiler.
    """
    store = artefact.store_with(net.key, extras)
    if store and precision in store.modules:
        return store
    if not has_compiler():
        with_what = f" with {' and '.join(extras)}" if extras else ""
        raise ValueError(
            f"the net '{net.key}'{with_what} is not among the compiled nets of the book. Install "
            "ziglang to compile it (pip install ziglang), or train with engine='torch'."
        )
    return compiled_here(net, precision, extras)


def is_ready(run: Run) -> bool:
    """Whether a Run trains on the committed programs, without a compiler."""
    return _is_plain(run) and artefact.store_with(Net.of(run).key) is not None


def is_possible(run: Run) -> bool:
    """Whether a Run trains on the committed programs, or on what can be compiled here.

    Clipping and LAWN, which are compiled for one net at a time, are left to who asks for them.
    """
    return _is_plain(run) and (has_compiler() or is_ready(run))


def is_supported(run: Run) -> bool:
    """Whether all that the net of a Run does can be compiled: it is, if it was not before."""
    try:
        store_for(Net.of(run), run.precision)
    except NotSupportedError:
        return False
    return True


def _is_plain(run: Run) -> bool:
    data = load(run.data, run.split_seed)
    largest = max(len(data.val_x), len(data.test_x), run.batch_size)
    fits = max(data.image_shape[1:]) <= LARGEST_SIDE and largest <= LARGEST_BATCH
    is_base = run.optimizer in BASES and not run.optimizer_options.get("dampening")
    return fits and is_base and run.clip is None and run.augment == "none"
