"""How good the pictures are: every figure comes with its sample size, judge, seed and interval."""
