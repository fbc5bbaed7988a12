"""What computes a training: plain PyTorch, stacks of nets, compiled programs."""
