"""The libraries whose models are tried; without them the tests of this folder are skipped."""

import importlib
import importlib.metadata

import torch

LIBRARIES = {  # how each is imported, and how it is installed
    "torchvision": "torchvision",
    "timm": "timm",
    "transformers": "transformers",
    "segmentation_models_pytorch": "segmentation-models-pytorch",
}
# torchvision declares properties of these two as it is imported. Its compiled part wants the
# libraries of CUDA; beside a torch without them the two are not there, and the import fails.
OPERATORS = ("nms", "qnms")
_kept: list[torch.library.Library] = []  # what a Library defines goes when it does


def missing() -> list[str]:
    """Those that are not installed."""
    return [name for name in LIBRARIES if importlib.util.find_spec(name) is None]


def versions() -> dict[str, str]:
    """The version of torch and of each library, without the build's name."""
    names = {"torch": "torch", **LIBRARIES}
    return {name: importlib.metadata.version(dist).split("+")[0] for name, dist in names.items()}


def prepare() -> None:
    """Let torchvision be imported beside a torch without CUDA."""
    if _kept or torch.version.cuda:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in OPERATORS:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept.append(library)
