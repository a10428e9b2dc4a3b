"""The hotline command: what a person types."""

from config.memory import look_seldom

look_seldom()
