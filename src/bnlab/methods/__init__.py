"""Whole methods: what a paper changes in a model besides its normalizers."""

from bnlab.methods.mimic import mimic

__all__ = ["mimic"]
