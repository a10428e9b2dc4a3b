"""User agents that we did not write, as citizens' and leaders' phones, and ears to measure what they hear."""
