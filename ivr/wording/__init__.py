"""The prompts as text, by key and language."""
