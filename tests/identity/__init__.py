"""A strict double of an OpenID Connect provider: refuses every request that is not exactly as the protocol wants it."""
