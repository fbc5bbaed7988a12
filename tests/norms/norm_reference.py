"""Every normalizer once more, written from its formula in float64, one statistic at a time.

Loops over channels, samples and groups; nothing of the package is used. The gradients are those of
these formulas, by torch's autograd, with ``detach`` where the formula counts something as constant.
"""

import torch
from torch import Tensor


def reference(name: str, x: Tensor, p: dict, s: dict, training: bool, **options) -> tuple:
    """Output and new running statistics of ``name``.

    ``p`` holds parameters and ``s`` running statistics by their names, float64; ``options`` has eps
    and whatever else the formula needs.
    """
    return FORMULAS[name](x, p, dict(s), training, **options)


def mean_of(v: Tensor) -> Tensor:
    return v.sum() / v.numel()


def biased(v: Tensor) -> Tensor:
    return ((v - mean_of(v)) ** 2).sum() / v.numel()


def unbiased(v: Tensor) -> Tensor:
    return ((v - mean_of(v)) ** 2).sum() / (v.numel() - 1)


def scaled(u: Tensor, p: dict) -> Tensor:
    """weight * u + bias, channel by channel."""
    y = [u[:, c] * p["weight"][c] for c in range(u.shape[1])]
    if "bias" in p:
        y = [one + p["bias"][c] for c, one in enumerate(y)]
    return torch.stack(y, 1)


def by_channel(x: Tensor, f) -> Tensor:
    """f(values of channel c, c) for every channel."""
    return torch.stack([f(x[:, c], c) for c in range(x.shape[1])], 1)


def by_sample(x: Tensor, group_size: int, f) -> Tensor:
    """f(values) for every sample and group of channels."""
    groups = range(0, x.shape[1], group_size)
    return torch.stack(
        [torch.cat([f(one[c : c + group_size]) for c in groups]) for one in x.unbind(0)]
    )


def moved(old: Tensor, new: list, momentum: float) -> Tensor:
    return (1 - momentum) * old + momentum * torch.stack(new).detach()


def none(x, p, s, training):
    return x, s


def batch(x, p, s, training, eps, momentum=0.1):
    return ghost_batch(x, p, s, training, eps, len(x), momentum)


def ghost_batch(x, p, s, training, eps, ghost_size, momentum=0.1):
    if not training:
        mean, var = s["running_mean"], s["running_var"]
        return scaled(by_channel(x, lambda v, c: (v - mean[c]) / (var[c] + eps).sqrt()), p), s
    chunks = [x[i : i + ghost_size] for i in range(0, len(x), ghost_size)]
    parts = [
        by_channel(g, lambda v, c: (v - mean_of(v)) / (biased(v) + eps).sqrt()) for g in chunks
    ]
    channels = range(x.shape[1])
    means = [sum(mean_of(g[:, c]) for g in chunks) / len(chunks) for c in channels]
    variances = [sum(unbiased(g[:, c]) for g in chunks) / len(chunks) for c in channels]
    s["running_mean"] = moved(s["running_mean"], means, momentum)
    s["running_var"] = moved(s["running_var"], variances, momentum)
    return scaled(torch.cat(parts), p), s


def batch_renorm(x, p, s, training, eps, r_max=3.0, d_max=5.0, momentum=0.01):
    mu, sd = s["running_mean"], (s["running_var"] + eps).sqrt()
    if not training:
        return scaled(by_channel(x, lambda v, c: (v - mu[c]) / sd[c]), p), s
    means = [mean_of(x[:, c]) for c in range(x.shape[1])]
    sds = [(biased(x[:, c]) + eps).sqrt() for c in range(x.shape[1])]

    def one(v, c):
        r = min(max((sds[c] / sd[c]).item(), 1 / r_max), r_max)
        d = min(max(((means[c] - mu[c]) / sd[c]).item(), -d_max), d_max)
        return (v - means[c]) / sds[c] * r + d

    y = scaled(by_channel(x, one), p)
    s["running_mean"] = moved(mu, means, momentum)
    s["running_var"] = moved(sd, sds, momentum) ** 2 - eps
    return y, s


def variance(x, p, s, training, eps, momentum=0.1):
    channels = range(x.shape[1])
    var = [biased(x[:, c]) for c in channels] if training else s["running_var"]
    if training:
        new = [unbiased(x[:, c]) for c in channels]
        s["running_var"] = moved(s["running_var"], new, momentum)
    return scaled(by_channel(x, lambda v, c: v / (var[c] + eps).sqrt()), p), s


def lp(norm):
    def formula(x, p, s, training, eps, momentum=0.1):
        channels = range(x.shape[1])
        mean, nu = s["running_mean"], s["running_norm"]
        if training:
            mean, nu = ([f(x[:, c]) for c in channels] for f in (mean_of, lambda v: norm(v, eps)))
            s["running_mean"] = moved(s["running_mean"], mean, momentum)
            s["running_norm"] = moved(s["running_norm"], nu, momentum)
        return scaled(by_channel(x, lambda v, c: (v - mean[c]) / nu[c]), p), s

    return formula


def noisy_batch(x, p, s, training, eps, factor, shift, momentum=0.1):
    y, s = batch(x, p, s, training, eps, momentum)
    return (factor * y + shift if training else y), s


def group(x, p, s, training, eps, group_size):
    y = by_sample(x, group_size, lambda v: (v - mean_of(v)) / (biased(v) + eps).sqrt())
    return scaled(y, p), s


def layer(x, p, s, training, eps):
    return group(x, p, s, training, eps, x.shape[1])


def instance(x, p, s, training, eps):
    return group(x, p, s, training, eps, 1)


def rms(x, p, s, training, eps):
    return scaled(by_sample(x, x.shape[1], lambda v: v / (mean_of(v**2) + eps).sqrt()), p), s


def filter_response(x, p, s, training, eps, learnable_eps=False):
    added = eps + p["learned_eps"].abs() if learnable_eps else eps
    y = scaled(by_sample(x, 1, lambda v: v / (mean_of(v**2) + added).sqrt()), p)
    return by_channel(y, lambda v, c: torch.where(v > p["tau"][c], v, p["tau"][c])), s


def evonorm_b0(x, p, s, training, eps, momentum=0.1):
    channels = range(x.shape[1])
    var = [biased(x[:, c]) for c in channels] if training else s["running_var"]
    if training:
        s["running_var"] = moved(s["running_var"], var, momentum)
    instance_sd = by_sample(x, 1, lambda v: (biased(v) + eps).sqrt().expand(v.shape))

    def one(v, c):
        left, right = (var[c] + eps).sqrt(), p["v"][c] * v + instance_sd[:, c]
        return v / torch.where(right > left, right, left)

    return scaled(by_channel(x, one), p), s


def evonorm_s0(x, p, s, training, eps, group_size):
    sd = by_sample(x, group_size, lambda v: (biased(v) + eps).sqrt().expand(v.shape))
    swish = by_channel(x, lambda v, c: v / (1 + (-p["v"][c] * v).exp()))
    return scaled(swish / sd, p), s


FORMULAS = {
    "none": none,
    "batch": batch,
    "ghost_batch": ghost_batch,
    "batch_renorm": batch_renorm,
    "variance": variance,
    "l1_batch": lp(lambda v, eps: v.abs().sum() / v.numel() + eps),
    "l2_batch": lp(lambda v, eps: ((v**2).sum() / v.numel() + eps).sqrt()),
    "linf_batch": lp(lambda v, eps: v.abs().max() + eps),
    "noisy_batch": noisy_batch,
    "layer": layer,
    "group": group,
    "instance": instance,
    "rms": rms,
    "filter_response": filter_response,
    "evonorm_b0": evonorm_b0,
    "evonorm_s0": evonorm_s0,
}
