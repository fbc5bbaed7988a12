"""Curvature of the loss: eigenvalues, traces, spectra."""
