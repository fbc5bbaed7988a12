"""Largest learning rates, by theory and by bisection."""
