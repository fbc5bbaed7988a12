"""Run by ``peer_with_jax``, in an environment that has JAX and not this package.

    python peer_jax.py START.npz

For the first line of its input it takes a block of steps and prints their losses, for each other
line it takes one more and prints its processor time.
"""

import json
import os
import sys
import time

if hasattr(os, "sched_setaffinity"):  # before JAX makes a thread for each core
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
import numpy as np

EPS, MOMENTUM = 1e-5, 0.1


def batch_norm(x, weight, bias, running):
    """Normalize with the statistics of the batch; the running ones move."""
    mean, variance = x.mean(0), x.var(0)
    unbiased = variance * (len(x) / (len(x) - 1))
    moved = running + MOMENTUM * (jnp.stack([mean, unbiased]) - running)
    return (x - mean) * jax.lax.rsqrt(variance + EPS) * weight + bias, moved


def loss_of(params, running, x, y):
    """Cross-entropy; with it the running statistics and the accuracy."""
    *hidden, (weight, bias) = params
    after = []
    for (w, b, gamma, beta), statistics in zip(hidden, running, strict=True):
        x, moved = batch_norm(x @ w + b, gamma, beta, statistics)
        x = jax.nn.relu(x)
        after.append(moved)
    logits = x @ weight + bias
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1)
    return -chosen.mean(), (after, (logits.argmax(1) == y).mean())


def steps_for(images, labels, lr):
    """A block of steps: from parameters, statistics and numbers of images."""

    def step(state, numbers):
        params, running = state
        batch = images[numbers], labels[numbers]
        value_and_grad = jax.value_and_grad(loss_of, has_aux=True)
        (loss, (running, accuracy)), grads = value_and_grad(params, running, *batch)
        params = jax.tree.map(lambda p, g: p - lr * g, params, grads)
        return (params, running), (loss, accuracy)

    return jax.jit(lambda state, numbers: jax.lax.scan(step, state, numbers))


def start(given):
    """Parameters and running statistics of the untrained net."""
    count = sum(name.startswith("w") for name in given)
    layers = [(jnp.array(given[f"w{k}"]), jnp.array(given[f"b{k}"])) for k in range(count)]
    hidden = [(w, b, jnp.ones(len(b)), jnp.zeros(len(b))) for w, b in layers[:-1]]
    running = [jnp.stack([jnp.zeros(len(b)), jnp.ones(len(b))]) for _, b, *_ in hidden]
    return [*hidden, layers[-1]], running


def main(path):
    """Answer each line of the input with a line."""
    given = dict(np.load(path))
    images = jnp.array(given["x"].reshape(len(given["x"]), -1))
    numbers = jnp.array(given["numbers"].astype(np.int32))
    run = steps_for(images, jnp.array(given["y"].astype(np.int32)), float(given["lr"]))
    state, is_first = start(given), True
    for _ in sys.stdin:
        before = time.process_time()
        state, told = jax.block_until_ready(run(state, numbers))
        took = time.process_time() - before
        print(json.dumps(told[0].tolist() if is_first else took), flush=True)
        is_first = False


if __name__ == "__main__":
    main(sys.argv[1])
