"""The hotline command: what a person types."""
