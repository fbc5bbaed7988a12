"""Batches: too small (T2), accumulated (T4), or holding samples that must not meet (T8)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import distributed, nn

from bnlab.doctor.case import Case
from bnlab.doctor.code import group_norms
from bnlab.doctor.finding import LOOK, NOTE, WRONG, Finding, does, named
from bnlab.doctor.layers import Norm
from bnlab.norms.sync import SyncBatchNorm

ENOUGH = 8
"""Samples in a batch, from which on its size is not told."""

UNSEEN = 1e-5
"""A gradient by other samples, over that by the own, or a change, which is rounding."""

LARGER = (
    "loader = torch.utils.data.DataLoader(loader.dataset, batch_size=32, shuffle=True, "
    "drop_last=True)"
)


def check_batch(case: Case) -> Iterator[Finding]:
    """One value a channel, and few samples."""
    alone = case.seen.alone
    if alone:
        yield _alone(case, alone)
    else:
        yield from _last_of_one(case)
    few = [norm for norm in case.in_training() if _few_samples(case, norm)]
    if few and not alone:
        yield _few(case, few)


def _alone(case: Case, alone: dict[str, tuple[int, ...]]) -> Finding:
    layers, shape = tuple(alone), next(iter(alone.values()))
    where = "1x1 maps" if len(shape) > 2 else "one row"
    return Finding(
        "one-value-per-channel",
        WRONG if case.model.training else NOTE,
        layers,
        f"In training mode {does(layers, 'get')} one value a channel (shape {shape}: "
        f"{case.batch.samples} sample{'s' * (case.batch.samples > 1)} with {where}), whose "
        'variance is 0; PyTorch raises "Expected more than 1 value per channel when training".',
        "Give it more samples a batch, and leave out a last batch of one. If memory allows no "
        "more, take GroupNorm or LayerNorm.",
        LARGER,
        {"samples": case.batch.samples},
    )


def _last_of_one(case: Case) -> Iterator[Finding]:
    samples = case.batch.samples
    training = {norm.name for norm in case.in_training()}
    calls = [call for call in case.seen.calls if call.norm.name in training]
    found = [call.norm.name for call in calls if samples > 1 and call.values <= samples]
    layers = tuple(dict.fromkeys(found))
    if layers:
        yield Finding(
            "last-batch-of-one",
            NOTE,
            layers,
            f"Each sample has one value a channel at {named(layers)}: a batch of one sample, such "
            "as the last of an epoch, would fail in training mode.",
            "Leave out the last batch if it is not full.",
            LARGER,
        )


def _few_samples(case: Case, norm: Norm) -> bool:
    """Whether a normalizer gets too few samples, over all processes."""
    processes = 1
    if isinstance(norm.module, nn.SyncBatchNorm | SyncBatchNorm) and distributed.is_available():
        processes = distributed.get_world_size() if distributed.is_initialized() else 1
    return case.batch.samples * processes < ENOUGH


def _few(case: Case, norms: list[Norm]) -> Finding:
    layers = tuple(norm.name for norm in norms)
    noise = [float(call.noise.median()) for call in case.seen.calls if call.norm in norms]
    known = [one for one in noise if math.isfinite(one)]
    seen = (
        f" Those of other samples would differ by about {max(known):.2g} standard deviations, "
        "at the worst of these layers."
        if known
        else ""
    )
    samples = case.batch.samples
    return Finding(
        "small-batch",
        (WRONG if samples <= 2 else LOOK) if case.model.training else NOTE,
        layers,
        f"{does(layers, 'normalize')} with the statistics of "
        f"only {samples} sample{'s' * (samples > 1)}, which is noise for each of them.{seen}",
        f"Take batches of {ENOUGH} or more samples, 32 if you can. Else take GroupNorm, or "
        "SyncBatchNorm over several processes; when fine-tuning, keep BatchNorm in evaluation "
        "mode.",
        LARGER,
        {"samples": samples, **({"noise": max(known)} if known else {})},
    )


def check_accumulation(case: Case) -> Iterator[Finding]:
    """Gradients summed over small batches."""
    norms, count = case.in_training(), case.told.accumulate
    if count == 1 or not norms:
        return
    layers, samples = tuple(norm.name for norm in norms), case.batch.samples
    yield Finding(
        "accumulation",
        LOOK,
        layers,
        f"Gradients are summed over {count} batches of {samples}, but {does(layers, 'normalize')} "
        f"each of them alone: as in ghost batches of "
        f"{samples}, not as in a batch of {count * samples}.",
        "If batches this small are a reason to accumulate, take GroupNorm, whose gradients add up "
        "exactly; when fine-tuning, keep BatchNorm in evaluation mode.",
        group_norms(norms),
        {"accumulate": count, "samples": samples},
    )


def check_mixing(case: Case) -> Iterator[Finding]:
    """T8, if the reader says that samples must not see each other."""
    mixing = case.mixing
    if mixing is None or not mixing.share or mixing.share < UNSEEN:
        return
    layers = tuple(norm.name for norm in case.in_training())
    cause = f"by way of {named(layers)}" if layers else "and no BatchNorm is the cause"
    how = (
        f"is {mixing.share:.2g} times as large as that with respect to its own input"
        if mixing.by == "gradient"
        else f"is not zero: it moves by {100 * mixing.share:.2g} % when they are replaced"
    )
    yield Finding(
        "samples-see-each-other",
        WRONG,
        layers,
        "In training mode, the gradient of one sample's output with respect to the other samples "
        f"{how}, {cause}. A penalty for each sample (WGAN-GP) or a contrast between samples "
        "(MoCo, SimCLR) then sees more than its own sample.",
        "Take a normalizer that looks at one sample alone: GroupNorm, LayerNorm or InstanceNorm.",
        group_norms(case.in_training()),
        {"share": mixing.share},
    )
