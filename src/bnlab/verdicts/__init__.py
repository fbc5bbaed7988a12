"""How a verdict is reached: claims, evidence, audit."""
