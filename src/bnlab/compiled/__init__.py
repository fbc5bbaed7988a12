"""One compiled training step: nets that train in a browser, and the same bits in Python.

From PyTorch to bytes: ``step`` (a training step as a pure function), ``trace`` (its graph),
``graph`` with the rules in ``elementwise``, ``views``, ``matrix`` (loops), ``plan`` (memory),
``codegen`` and ``build`` (C, WebAssembly), ``artefact`` (files). To run them: ``machine`` and
``engine``, or ``js/run.js`` in a browser.
"""

from bnlab.compiled.graph import NotSupportedError

__all__ = ["NotSupportedError"]
