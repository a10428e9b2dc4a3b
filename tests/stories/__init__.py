"""Calls as scripts, told once for all carriers: what the caller does, who the leader is, and what must come of it."""
