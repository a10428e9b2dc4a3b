"""The HTTP contract and the operators' console."""
