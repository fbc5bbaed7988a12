"""What a worker needs for its first training, imported once before workers are forked.

torch imports its compiler with the first optimizer, and ``bnlab.data`` scikit-learn with the first
data set: seconds for each process, if each does it for itself. Nothing is computed here: a process
that has threads or a GPU must not be forked.
"""

import contextlib
import gc
import importlib

import bnlab.sweep  # noqa: F401

for name in ("sklearn.datasets", "torch._dynamo"):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)

gc.freeze()  # what is imported stays; a worker that looked for garbage in it would copy all of it
