"""Settings, logging, clocks and the programs around us: what every other package may use."""
