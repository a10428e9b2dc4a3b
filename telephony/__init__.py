"""The carriers: verbs of the call flow turned into real calls."""
