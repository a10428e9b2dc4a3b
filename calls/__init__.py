"""One live call, kept in Redis, and the ledger of all calls."""
