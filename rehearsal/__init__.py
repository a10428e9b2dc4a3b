"""演練: a whole session in virtual time, through the real flow, turns, outbox and line. Rings no telephone."""
