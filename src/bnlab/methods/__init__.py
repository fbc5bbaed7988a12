"""Whole methods: what a paper changes in a model besides its normalizers."""

from __future__ import annotations

from torch import nn

from bnlab.arguments import checked
from bnlab.errors import check_name, unknown
from bnlab.methods.head_norm import head_norm
from bnlab.methods.mimic import PARTS, VARIANTS, WEIGHT_MEANS, WITHOUT_MEAN, mimic

METHODS = {
    "none": (),
    **dict.fromkeys(VARIANTS, ("part", "eligible", "weight_mean", "variance")),
    "head_norm": (),
}
"""Names of methods, and their options as a Run gives them."""

NETS = ("mlp", "plain", "resnet")
"""Nets that MimicNorm knows; the others have normalizers or blocks of their own."""


@checked
def check_method(name: str, options: dict[str, object], net: str, norm: str) -> None:
    """Raise a clear error for a method that cannot be applied to such a net of a Run."""
    check_name("method", name, METHODS)
    for option in options:
        if option not in METHODS[name]:
            raise ValueError(unknown(f"option of method {name!r}:", option, METHODS[name]))
    if name == "none":
        return
    if norm != "none":
        raise ValueError(
            f"method {name!r} takes the place of the normalizers: norm must be 'none', got "
            f"{norm!r}."
        )
    if name in VARIANTS:
        _check_mimic(name, options, net)


def _check_mimic(name: str, options: dict[str, object], net: str) -> None:
    part = options.get("part", "both")
    check_name("part", part, PARTS)
    check_name("weight_mean", options.get("weight_mean", "parametrization"), WEIGHT_MEANS)
    if net not in NETS:
        raise ValueError(f"method {name!r} is defined for the nets {', '.join(NETS)}, not {net!r}.")
    needs_layers = part not in WITHOUT_MEAN or options.get("variance") is not None
    if net == "mlp" and needs_layers and "eligible" not in options:
        raise ValueError(
            f"method {name!r} takes the mean out of convolutions, and the net 'mlp' has none. "
            "Choose net='plain' or 'resnet', or let it take the hidden Linear layers: "
            "method_options={'eligible': 'hidden'}."
        )


@checked
def apply_method(
    model: nn.Module, name: str, options: dict[str, object], native: bool = True
) -> nn.Module:
    """The net with the method called ``name``; with ``none`` the net itself.

    Args:
        model: a net without normalizers.
        name: a key of ``METHODS``.
        options: those of ``mimic`` that ``METHODS`` lists.
        native: let the BatchNorm of the method use torch's fused kernel.
    """
    if name == "none":
        return model
    if name == "head_norm":
        return head_norm(model, native=native)
    return mimic(model, name, **options, native=native)


@checked
def projected_layers(name: str, options: dict[str, object]) -> object:
    """The rule of the layers that are projected after each step of an optimizer; None for none."""
    is_projected = options.get("weight_mean") == "projection"
    if name not in VARIANTS or not is_projected or options.get("part", "both") in WITHOUT_MEAN:
        return None
    return options.get("eligible", name)


__all__ = ["METHODS", "apply_method", "check_method", "head_norm", "mimic", "projected_layers"]
