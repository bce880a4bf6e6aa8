"""The topic `control`: orders given, signed, read to the end, and kept by their places."""
