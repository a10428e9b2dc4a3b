"""Citizens and leaders for trying it out: scenarios for sipp, a user agent that is not ours. Starts no process itself."""
