"""Mean-field theory of wide nets at initialization."""
