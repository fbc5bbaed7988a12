"""Covariate shift: of gradients, and of the inputs of a layer."""
