"""場次: the calendar of sessions, the roster of leaders, attendance."""
