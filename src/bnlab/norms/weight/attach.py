"""Put a normalizer of weights on the layers of a model, and take it off again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

from bnlab.arguments import checked
from bnlab.errors import unknown
from bnlab.norms.weight.base import WeightNormalizer
from bnlab.norms.weight.eligible import eligible_layers, is_parametrized
from bnlab.norms.weight.normalizers import (
    ScaledWeightStandardization,
    WeightMean,
    WeightNorm,
    WeightStandardization,
)

WEIGHT_NORMS: dict[str, type[WeightNormalizer]] = {
    "weight_norm": WeightNorm,
    "weight_standardization": WeightStandardization,
    "scaled_weight_standardization": ScaledWeightStandardization,
    "weight_mean": WeightMean,
}


@checked
def weight_norm_options(name: str) -> tuple[str, ...]:
    """Names of the options that ``normalize_weights(model, name, ...)`` passes on.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in WEIGHT_NORMS:
        raise ValueError(unknown("normalizer of weights", name, WEIGHT_NORMS))
    return WEIGHT_NORMS[name].options()


@checked
def normalize_weights(
    model: nn.Module,
    name: str,
    eligible: str | Iterable[str] | Callable[[str, nn.Module], bool] = "all",
    **options: object,
) -> tuple[str, ...]:
    """Put the normalizer called ``name`` on the weights of ``model``, in place.

    Each layer keeps its class, its bias and its place; its ``weight`` becomes computed, and what is
    trained lies in ``layer.parametrizations.weight``. Initialize the weights before, and make the
    optimizer after: ``weight_norm`` trains other tensors. Nothing is changed if there is an error.

    A model with parametrizations can be copied, and its ``state_dict`` saved and loaded into a
    model made the same way; torch refuses to pickle the module itself.

    Args:
        model: any module, or a single Linear or Conv layer.
        name: a key of ``WEIGHT_NORMS``.
        eligible: which layers, see ``eligible_layers``. ``hidden`` leaves the classifier out.
        **options: the options of the class, such as ``eps``, ``gain``, ``gamma``.

    Returns:
        The names of the layers that were changed.

    Raises:
        ValueError: for an unknown name, option or rule, a bad value, a layer that has a
            parametrization or shares its weight with another module, or a weight that the
            normalizer cannot take; with the name of the layer and what to do.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> nn.init.constant_(layer.weight, 3.0)[0].tolist()
        [3.0, 3.0]
        >>> normalize_weights(layer, "weight_mean")
        ('',)
        >>> layer.weight.tolist()
        [[0.0, 0.0]]
    """
    known = weight_norm_options(name)
    for option in options:
        if option not in known:
            raise ValueError(unknown(f"option of normalizer {name!r}:", option, known))
    layers = eligible_layers(model, eligible)
    made = {key: _made(model, key, layer, name, options) for key, layer in layers.items()}
    for key, layer in layers.items():
        parametrize.register_parametrization(layer, "weight", made[key])
        layer.train(layer.training)  # torch puts its containers into training mode
    return tuple(layers)


def _made(
    model: nn.Module, key: str, layer: nn.Module, name: str, options: dict[str, object]
) -> WeightNormalizer:
    where = f"layer {key!r}" if key else "the layer"
    if is_parametrized(layer):
        raise ValueError(
            f"the weight of {where} has a parametrization already. Take it off first: "
            "remove_weight_norms(model), or leave the layer out (eligible=...)."
        )
    weight = layer._parameters.get("weight")
    if weight is None or is_lazy(weight):
        raise ValueError(
            f"{where} has no weight of its own yet. For a lazy layer, pass an input through the "
            "model first; take off torch.nn.utils.weight_norm or spectral_norm."
        )
    owners = [
        owner
        for owner, module in model.named_modules()
        if any(parameter is weight for parameter in module._parameters.values())
    ]
    if len(owners) > 1:
        raise ValueError(
            f"{where} shares its weight ({', '.join(owners)}): the others would use it without the "
            "normalizer. Leave it out (eligible=...), or untie the weights."
        )
    try:
        made = WEIGHT_NORMS[name](layer, **options)
        made.right_inverse(weight.detach())
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}" if key else str(error)) from error
    return made


@checked
def remove_weight_norms(model: nn.Module, keep: str = "normalized") -> tuple[str, ...]:
    """Take all normalizers of weights off ``model``, in place; other parametrizations stay.

    Args:
        model: any module.
        keep: ``normalized`` makes the computed weight the layer's own: the model computes the same
            as before. ``original`` gives the trained tensor back, without its normalizer; that
            cannot be had from ``weight_norm``, which trains two.

    Returns:
        The names of the layers that were changed.

    Raises:
        ValueError: for another ``keep``, or if a layer has further parametrizations of its weight,
            or if ``original`` cannot be had.
    """
    if keep not in ("normalized", "original"):
        raise ValueError(unknown("keep", keep, ("normalized", "original")))
    layers = {}
    for name, module in model.named_modules():
        if not is_parametrized(module):
            continue
        chain = module.parametrizations["weight"]
        ours = [isinstance(part, WeightNormalizer) for part in chain]
        if not any(ours):
            continue
        if len(chain) > 1:
            raise ValueError(
                f"layer {name!r} has further parametrizations of its weight. Take them off first: "
                "torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight')."
            )
        if keep == "original" and isinstance(chain[0], WeightNorm):
            raise ValueError(
                f"layer {name!r} has weight_norm, which trains two tensors: there is no single "
                "original. Use keep='normalized'."
            )
        layers[name] = module
    for layer in layers.values():
        parametrize.remove_parametrizations(layer, "weight", keep == "normalized")
    return tuple(layers)
