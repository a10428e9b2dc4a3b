"""A real Asterisk with our configuration, real phones, and no bridge: what the PBX does by itself."""
