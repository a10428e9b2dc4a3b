"""The whole system as it is installed: every part a real process, real SIP phones, and `kill -9` for each part."""
