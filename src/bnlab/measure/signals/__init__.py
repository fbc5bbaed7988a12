"""Signals and gradients, layer by layer."""
