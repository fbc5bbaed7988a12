"""Models with one planted slip each: what is wrong, where, and what puts it right."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from tests.doctor.patients import (
    FEATURES,
    WIDTH,
    FunctionalDropout,
    Patient,
    Residual,
    Shared,
    Tokens,
    conv,
    images,
    mlp,
    rows,
    train,
    trained,
)


@dataclass(frozen=True)
class Slip:
    """A slip: how it is made, its id, the layers, and a repair by hand where no code can be run."""

    id: str
    layers: tuple[str, ...]
    make: Callable[[], Patient]
    repair: Callable[[Patient], None] | None = None


def averaged() -> Patient:
    """Averaged weights over a run with a large rate, with the statistics of the first ones."""
    model = mlp()
    average = AveragedModel(model, use_buffers=False)
    train(model, 20)
    start = copy.deepcopy(model).state_dict()
    for _ in range(5):
        train(model, 40, lr=1.0)
        average.update_parameters(model)
    for name, buffer in average.module.named_buffers():
        buffer.copy_(start[name])
    return Patient(average, rows())


def with_nan() -> Patient:
    """One layer whose statistics a batch with an overflow has spoiled."""
    model = trained()
    model[4].running_var[3] = torch.inf
    model[4].running_mean[3] = torch.nan
    return Patient(model, rows())


def in_eval() -> Patient:
    """Trained in evaluation mode all the time."""
    model = mlp().eval()
    train(model)
    return Patient(model.train(), rows())


def one_class() -> Patient:
    """The last steps were on other data."""
    model = trained()
    with torch.no_grad():
        for step in range(20):
            model(rows(seed=step, shift=3.0))
    return Patient(model, rows())


def frozen(which: Callable[[nn.Module], list]) -> Patient:
    """Some parameters without a gradient."""
    model = mlp()
    for parameter in which(model):
        parameter.requires_grad = False
    return Patient(model, rows())


def decayed(kind: type[torch.optim.Optimizer] = torch.optim.SGD) -> Patient:
    """An optimizer that decays everything."""
    model = mlp()
    optimizer = kind(model.parameters(), lr=0.1, weight_decay=5e-4)
    return Patient(model, rows(), {"optimizer": optimizer})


def dropped() -> Patient:
    """Dropout between the first ReLU and the second layer."""
    model = mlp()
    model.insert(3, nn.Dropout(0.5))
    return Patient(model, rows())


def half_on() -> Patient:
    """A layer left in training mode in a model that is not."""
    model = mlp().eval()
    model[4].train()
    return Patient(model, rows())


def dead() -> Patient:
    """A ReLU that never fires, before a BatchNorm."""
    model = mlp()
    model[1] = nn.Identity()
    nn.init.constant_(model[0].bias, -100.0)
    return Patient(model, rows())


def zeroed(model: nn.Module, name: str, batch: Tensor) -> Patient:
    """A weight of zeros."""
    nn.init.zeros_(model.get_submodule(name).weight)
    return Patient(model, batch)


def twice() -> Patient:
    """Two BatchNorms in a row."""
    model = mlp()
    model.insert(2, nn.BatchNorm1d(WIDTH))
    return Patient(model, rows())


def diverged() -> Patient:
    """A weight that is NaN."""
    model = mlp()
    with torch.no_grad():
        model[3].weight[0, 0] = torch.nan
    return Patient(model, rows())


def pooled(batch: Tensor) -> Patient:
    """BatchNorm on 1x1 maps, behind the pooling; '7' in the net."""
    model = conv()
    model.insert(7, nn.BatchNorm2d(8))
    return Patient(model, batch)


def loaded(patient: Patient, dataset: Tensor) -> Patient:
    """A patient whose batches come from a DataLoader."""
    patient.loader = DataLoader(dataset, batch_size=len(patient.batch))
    return patient


def own_norm(patient: Patient) -> None:
    """Give each place its own BatchNorm."""
    patient.model.norm2 = nn.BatchNorm1d(WIDTH)


def right_axis(patient: Patient) -> None:
    """Bring the features to axis 1."""
    patient.model = Tokens(5, right=True)


def other_start(patient: Patient) -> None:
    """Weights from before the run diverged, or before the ReLU died."""
    patient.model = mlp()


def no_dropout(patient: Patient) -> None:
    """Leave dropout out."""
    patient.model.p = 0.0


BOTH = ("1", "4")
SLIPS = {
    "a momentum too small": Slip(
        "momentum-too-small", BOTH, lambda: Patient(trained(momentum=0.001), rows())
    ),
    "a momentum too small for the run to come": Slip(
        "momentum-too-small", BOTH, lambda: Patient(mlp(momentum=0.001), rows(), {"steps": 200})
    ),
    "averaged weights": Slip("averaged-weights", ("module.1", "module.4"), averaged),
    "NaN in statistics": Slip("statistics-not-finite", ("4",), with_nan),
    "trained in evaluation mode": Slip("statistics-untouched", BOTH, in_eval),
    "other data in the last steps": Slip("statistics-far", ("1",), one_class),
    "NaN in a weight": Slip("weights-not-finite", ("3",), diverged, other_start),
    "a batch of one": Slip(
        "one-value-per-channel", BOTH, lambda: loaded(Patient(mlp(), rows(1)), rows(64))
    ),
    "a batch of one with maps of one pixel": Slip(
        "one-value-per-channel", ("7",), lambda: loaded(pooled(images(1)), images(64))
    ),
    "a batch of two": Slip(
        "small-batch", BOTH, lambda: loaded(Patient(conv(), images(2)), images(64))
    ),
    "a batch of four": Slip("small-batch", BOTH, lambda: loaded(Patient(mlp(), rows(4)), rows(64))),
    "frozen BatchNorm": Slip(
        "frozen-not-frozen", ("1",), lambda: frozen(lambda model: [*model[1].parameters()])
    ),
    "a frozen model": Slip(
        "frozen-not-frozen", BOTH, lambda: frozen(lambda model: [*model.parameters()])
    ),
    "accumulated gradients": Slip(
        "accumulation", BOTH, lambda: Patient(conv(), images(), {"accumulate": 8})
    ),
    "weight decay": Slip("weight-decay", BOTH, decayed),
    "weight decay of AdamW": Slip("weight-decay", BOTH, lambda: decayed(torch.optim.AdamW)),
    "dropout before BatchNorm": Slip("dropout-before-norm", ("5",), dropped),
    "dropout by a function": Slip(
        "dropout-before-norm",
        ("norm",),
        lambda: Patient(FunctionalDropout(0.3), rows()),
        no_dropout,
    ),
    "samples that see each other": Slip(
        "samples-see-each-other", BOTH, lambda: Patient(conv(), images(), {"independent": True})
    ),
    "momentum 0": Slip("momentum-zero", BOTH, lambda: Patient(mlp(momentum=0.0), rows())),
    "momentum 1": Slip("momentum-one", BOTH, lambda: Patient(mlp(momentum=1.0), rows())),
    "one BatchNorm for two layers": Slip(
        "shared-norm", ("norm1",), lambda: Patient(Shared(), rows()), own_norm
    ),
    "a layer in training mode": Slip("left-in-train-mode", ("4",), half_on),
    "evaluated in training mode": Slip(
        "left-in-train-mode", BOTH, lambda: Patient(mlp(), rows(), {"evaluating": True})
    ),
    "eps too large": Slip("eps-too-large", BOTH, lambda: Patient(mlp(eps=100.0), rows())),
    "a dead ReLU": Slip("constant-channels", ("4",), dead, other_start),
    "gamma of zero": Slip("zero-gamma", ("1",), lambda: zeroed(mlp(), "1", rows())),
    "gamma of zero inside a branch": Slip(
        "zero-gamma", ("norm1",), lambda: zeroed(Residual(), "norm1", images())
    ),
    "two normalizers in a row": Slip("norm-after-norm", ("1", "2"), twice),
    "positions for channels": Slip(
        "channel-axis",
        ("norm",),
        lambda: Patient(Tokens(5), torch.randn(16, 5, FEATURES)),
        right_axis,
    ),
}
