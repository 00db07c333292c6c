"""The product, pure: (state, event) -> (new state, effects). No I/O, no clock, no randomness."""
