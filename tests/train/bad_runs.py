"""Runs that no engine trains: what is changed in a small Run, and what its refusal says."""

BAD_RUNS = [
    ({"batch_size": 1198}, r"batch_size=1198 is larger than the training data \(1197 images\)"),
    ({"norm": "instance"}, r"InstanceNorm has one value a group.*Use larger groups, or inputs"),
    ({"norm": "batch", "batch_size": 1}, r"more than one value a channel.*Use a larger batch"),
    ({"sampler": "k_classes", "sampler_options": {"k": 11}}, "k must be between 1 and 10"),
    ({"sampler": "k_classes", "sampler_options": {"k": 0}}, "k must be between 1 and 10"),
    ({"optimizer_options": {"momentum": -1}}, "Invalid momentum value: -1"),
]
