"""Background jobs (RQ) and the cron table."""
