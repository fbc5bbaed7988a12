"""bnlab: normalizers, small nets, and measurements that put claims about normalization to the test.

Imports go one way; CONTRIBUTING.md has the drawing, and a test compares it with the code.
Importing ``bnlab`` loads none of its folders, so that ``import bnlab`` is quick.
"""

__version__ = "0.1.0"
