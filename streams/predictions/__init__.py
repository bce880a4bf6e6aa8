"""Predictions: features are answered, labels are learned."""
