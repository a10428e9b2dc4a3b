"""The prompts as text, by key and language."""

from ivr.wording.catalogue import all_prompts, render

__all__ = ["all_prompts", "render"]
