"""One compiled training step: nets that train in a browser, and the same bits in Python.

From PyTorch to bytes: ``step`` and ``update`` (a training step as pure functions), ``watch`` (what
it tells of layers), ``tensorwise`` (updates that look at single tensors), ``trace`` (a function's
graph), ``graph`` with the rules in ``elementwise``, ``views`` and ``matrix`` (loops), ``plan``
(memory), ``program`` (one net, one optimizer), ``codegen`` and ``build`` (C, WebAssembly), ``nets``
(which programs a Run needs).

The nets of the book, which ``catalogue`` lists, are files (``artefact``) and need no compiler; the
files of ``page_sets`` are for pages alone. All others are compiled when they are trained: other
widths, convolutional and residual nets, normalizers of weights, LAWN (but for one net), gradient
clipping (but for binary nets), squared error. That takes seconds and the package ``ziglang``. Label
noise, gamma's start, learning rate, batch size and limits need no other program.

To run them: ``machine`` (which needs ``wasmtime``) or, for long trainings and where there is a C
compiler, ``native`` (faster, with the same bits), and ``engine``; or ``js/run.js`` in a browser.
``compare`` compares them with PyTorch. ``debug`` writes a step as JavaScript that can be read
(``javascript``, ``debug.js``). On the command line: ``python -m bnlab.engines.compiled``.
"""

from bnlab.engines.compiled.compiler.graph import NotSupportedError

__all__ = ["NotSupportedError"]
