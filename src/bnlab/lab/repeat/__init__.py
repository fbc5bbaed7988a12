"""A verdict repeated in the page: interval and words as Python gives them, in JavaScript."""
