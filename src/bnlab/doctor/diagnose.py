"""The examination: refusals, one pass or a few, all checks, and what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import nn

from bnlab.arguments import checked, positive, require
from bnlab.doctor.case import Case, Told, examine
from bnlab.doctor.checks import batches, decay, dropout, modes, statistics, structure, values
from bnlab.doctor.finding import NOTE, Diagnosis, Finding, named
from bnlab.doctor.inputs import read_batch
from bnlab.doctor.layers import has_uninitialized, norms_of

CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    values.check_weights,
    statistics.check_statistics,
    batches.check_batch,
    batches.check_accumulation,
    batches.check_mixing,
    modes.check_frozen,
    modes.check_left_in_training,
    modes.check_momentum,
    decay.check_decay,
    dropout.check_dropout,
    structure.check_shared,
    structure.check_norm_after_norm,
    structure.check_zero_gamma,
    structure.check_axis,
    values.check_variance,
    structure.check_bias,
)

FINDINGS = {
    "weights-not-finite": "a weight is NaN or infinite",
    "statistics-not-finite": "running statistics are NaN or infinite",
    "statistics-untouched": "trained weights with the running statistics of a new layer",
    "statistics-far": "running statistics that are not those of the batch",
    "averaged-weights": "averaged weights with the statistics of others",
    "momentum-too-small": "the starting values are still in the running statistics",
    "momentum-zero": "running statistics never move",
    "momentum-one": "running statistics of the last batch alone",
    "one-value-per-channel": "a batch with one value a channel",
    "small-batch": "a batch of fewer than eight samples",
    "accumulation": "gradients accumulated over batches that are normalized one by one",
    "samples-see-each-other": "a sample's output depends on the others, where it must not",
    "frozen-not-frozen": "frozen BatchNorm in training mode",
    "left-in-train-mode": "training mode in an evaluation",
    "weight-decay": "weight decay on weight and bias of normalizers",
    "dropout-before-norm": "dropout changes the variance at a BatchNorm between the modes",
    "shared-norm": "one BatchNorm in several places with different inputs",
    "norm-after-norm": "a normalizer right behind another",
    "zero-gamma": "a weight of zeros that is not at the end of a residual branch",
    "channel-axis": "features on the last axis, channels expected on axis 1",
    "constant-channels": "channels that are the same for all samples",
    "eps-too-large": "eps is larger than the variance",
}
"""The ids of all findings. Notes, which do not count, are ``bias-before-norm``,
``last-batch-of-one``, ``momentum-large`` and ``statistics-young``, and milder forms of some."""


@checked
def diagnose(
    model: nn.Module,
    batch: object,
    *,
    optimizer: torch.optim.Optimizer | Sequence[torch.optim.Optimizer] | None = None,
    accumulate: int = 1,
    steps: int | None = None,
    trained: bool | None = None,
    evaluating: bool = False,
    independent: bool = False,
    representative: bool = True,
) -> Diagnosis:
    """Look at a model and a batch for what goes wrong with normalization, and say what to do.

    The model is run once in training mode, more often if there is dropout or if ``independent`` is
    asked for: each normalizer's input is measured, and it is followed which layer takes what.
    Weights, buffers, modes, gradients and all random states are as before afterwards.

    Findings are what can cost accuracy: running statistics that are not those of the weights or
    hold NaN; a batch too small, or accumulated; frozen BatchNorm that moves; weight decay on
    weight and bias of a normalizer; dropout before a BatchNorm, by the variances measured with it
    and without; one BatchNorm in several places; and more, see ``bnlab.doctor.FINDINGS``. What
    harms nothing is a *note* and does not count: a bias before a BatchNorm costs a little memory
    (torchvision's VGG nets have it), and a model that has seen a handful of batches has young
    statistics. A new model has the statistics of a new layer, which is no finding as long as its
    weights are new: they count as trained if a normalizer's bias differs between channels, if the
    optimizer has a state, or if ``trained`` says so.

    The distance of statistics is the larger of |r - m| / sqrt(v + eps) and |log((s + eps) /
    (v + eps))| / 2, with the running mean r and variance s, and m and v of the batch; a layer has
    the median over its channels. It counts beyond 0.3 and 2.5 times what another batch of this size
    would differ by, which is estimated from the samples' own means.

    Source: Ioffe and Szegedy 2015, arXiv 1502.03167; for dropout, Li et al. 2018, arXiv 1801.05134.

    Args:
        model: any module, in the mode in which you use it. In evaluation mode, the pass is made
            after ``model.train()``, which is undone.
        batch: what it is called with in training: a tensor; a tuple or list, of which the model is
            given as many items as its ``forward`` requires; or a dict of inputs by name.
        optimizer: that of the training, or several in a list: for weight decay.
        accumulate: over how many batches gradients are summed before a step.
        steps: how many steps the training will have: for momenta too small for it.
        trained: whether the weights are trained; None to tell by what is there.
        evaluating: whether the model is being evaluated now: no layer may be in training mode.
        independent: whether a sample's output must not depend on the other samples, as for a
            gradient penalty or a contrastive loss: then it is measured whether it does.
        representative: whether the batch is like the training data; False for random numbers,
            with which running statistics are not compared.

    Returns:
        Findings, notes, and what was not looked at. It prints as sentences.

    Raises:
        ValueError: for a batch that the model cannot take, without samples, with NaN, or on another
            device; for a scripted or lazy model; for arguments out of range.

    Example:
        >>> net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
        >>> x = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
        >>> diagnose(net, x).ids, diagnose(net, x, accumulate=8).ids
        ((), ('accumulation',))
    """
    _check_model(model)
    positive(accumulate=accumulate, steps=1 if steps is None else steps)
    optimizers = _optimizers(optimizer)
    told = Told(optimizers, accumulate, steps, trained, evaluating, independent, representative)
    norms = norms_of(model)
    case = examine(model, norms, read_batch(model, batch), told)
    _check_pass(case)
    found = [finding for check in CHECKS for finding in check(case)]
    findings = tuple(one for one in found if one.severity != NOTE)
    notes = tuple(one for one in found if one.severity == NOTE)
    return Diagnosis(findings, notes, tuple(_left_out(case)), len(norms))


def _check_model(model: nn.Module) -> None:
    require(
        not isinstance(model, torch.jit.ScriptModule),
        "model is scripted, and its layers cannot be watched. Give the module it was made from.",
    )
    require(
        not has_uninitialized(model),
        "model has lazy layers that have seen no input. Call it once with a batch first.",
    )


def _optimizers(given: object) -> tuple[torch.optim.Optimizer, ...]:
    if given is None:
        return ()
    several = (given,) if isinstance(given, torch.optim.Optimizer) else tuple(given)
    for one in several:
        require(
            isinstance(one, torch.optim.Optimizer),
            f"optimizer must be a torch optimizer or a list of them, got {type(one).__name__}.",
        )
    return several


def _check_pass(case: Case) -> None:
    seen = case.seen
    said = seen.failed.rstrip(". \n")
    left = f" (Of batch, {case.batch.left_out})" if case.batch.left_out else ""
    require(
        not seen.failed or seen.alone,
        f"model cannot take this batch: {said}. Give what it is called with in training, a dict to "
        f"name the inputs.{left}",
    )


def _left_out(case: Case) -> Iterator[str]:
    if not case.norms:
        yield "the model has no normalizer that bnlab knows."
    if case.batch.left_out:
        yield case.batch.left_out
    if case.seen.failed:
        yield f"what comes behind {next(iter(case.seen.alone))!r}, as the pass ended there."
    if case.batch.all_alike:
        yield "variances, as all samples of the batch are the same."
    if not case.told.representative and any(norm.tracks for norm in case.norms):
        yield "whether running statistics fit, as the batch is not like the training data."
    if case.mixing is not None and case.mixing.why:
        yield f"whether samples see each other: {case.mixing.why}"
    called = set(case.seen.shapes)
    idle = [norm.name for norm in case.norms if norm.name not in called]
    if idle and not case.seen.failed:
        yield f"{len(idle)} of the normalizers, which the pass did not reach: {named(idle)}."
