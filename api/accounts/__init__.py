"""Who works with the console: accounts, roles and what they may, sign-in, tokens, the audit trail. Knows no route and no page."""
