"""Files of events, read as plain dicts."""
