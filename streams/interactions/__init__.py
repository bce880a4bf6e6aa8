"""Interactions: from the records of a batch to lists."""
