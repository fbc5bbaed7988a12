"""What a step costs: memory, operations, time."""
