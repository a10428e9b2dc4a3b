"""The waiting line of every seat, as one order in Redis."""
