"""The Asterisk carrier: AMI, AsyncAGI and the PBX configuration."""
