"""Where the programs of a net come from: the files of the book, or the compiler."""

from __future__ import annotations

from bnlab.data import load
from bnlab.engines.compiled import artefact
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.compiler.graph import NotSupportedError
from bnlab.engines.compiled.nets import Net, Store, compiled_here
from bnlab.engines.compiled.program import LARGEST_BATCH, LARGEST_SIDE
from bnlab.engines.compiled.update import NOT_COMPILED
from bnlab.methods import projected_layers
from bnlab.runs.optimizers import BASES, by_parts
from bnlab.runs.run import Run

NETS_OF_TORCH = {
    "supernet": "has no rule for the depthwise convolutions of a supernet",
}


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


def refusal(run: Run) -> str:
    """Why the compiled engine cannot train a Run, as far as the Run alone tells; "" if it can."""
    options = run.optimizer_options
    uncompiled = [name for name, usual in NOT_COMPILED.items() if options.get(name, usual) != usual]
    if uncompiled:
        return f"does not take the option {uncompiled[0]!r} of an optimizer"
    if run.schedule != "constant" or run.schedule_options:
        return f"trains at a constant rate, got schedule={run.schedule!r}"
    if run.net_options.get("downsample", "stride") != "stride":
        return "halves images by a stride, and does not pool them"
    if run.augment != "none":
        return f"does not augment images, got augment={run.augment!r}"
    if projected_layers(run.method, run.method_options) is not None:
        return (
            "does not project weights after a step; weight_mean='parametrization' is the same "
            "training with sgd"
        )
    return NETS_OF_TORCH.get(run.net, "")


def is_ready(run: Run) -> bool:
    """Whether a Run trains on the committed programs, without a compiler."""
    return _is_plain(run) and artefact.store_with(Net.of(run).key) is not None


def is_possible(run: Run) -> bool:
    """Whether a Run trains on the committed programs, or on what can be compiled here.

    Clipping, LAWN and optimizers of parts of a net, which are compiled for one net at a time, are
    left to who asks for them.
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
    data = load(run.data, run.split_seed, run.image_size)
    largest = max(len(data.val_x), len(data.test_x), run.batch_size)
    fits = max(data.image_shape[1:]) <= LARGEST_SIDE and largest <= LARGEST_BATCH
    is_base = run.optimizer in BASES and run.clip is None
    is_whole = by_parts(run.optimizer_options) == ("all", "all")
    return fits and is_base and is_whole and not refusal(run)
