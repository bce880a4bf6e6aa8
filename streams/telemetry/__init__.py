"""Figures and health, for whoever watches."""
