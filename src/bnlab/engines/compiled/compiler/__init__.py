"""From a traced step to kernels and programs."""
