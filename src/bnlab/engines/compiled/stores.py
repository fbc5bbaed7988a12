"""Where the programs of a net come from: the files of the book, or the compiler."""

from __future__ import annotations

from bnlab.engines.compiled import artefact
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.nets import Net, Store, compiled_here
from bnlab.engines.compiled.program import LARGEST_BATCH
from bnlab.runs.optimizers import BASES
from bnlab.runs.run import Run


def store_for(net: Net, precision: str, extras: tuple[str, ...] = ()) -> Store:
    """The committed programs if they are enough, else what is compiled now.

    Raises:
        ValueError: if the net is not among them and there is no compiler.
    """
    store = artefact.store_with(net.key)
    if store and precision in store.modules and not extras:
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
    is_plain = run.clip is None and run.optimizer in BASES and run.augment == "none"
    fits = run.batch_size <= LARGEST_BATCH and not run.optimizer_options.get("dampening")
    return is_plain and fits and artefact.store_with(Net.of(run).key) is not None
