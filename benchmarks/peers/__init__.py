"""What the worker is measured against; each is a process of its own that prints one JSON line."""
