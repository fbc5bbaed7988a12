"""The appendix on how a page trains a net."""
