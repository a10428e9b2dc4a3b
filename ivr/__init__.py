"""What a caller hears and what happens next. No I/O, no clock, no randomness."""
