"""One file a node of the call flow."""
