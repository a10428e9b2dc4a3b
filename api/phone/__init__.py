"""Browser phones: who may use which handset, and what a browser may say to Asterisk."""
