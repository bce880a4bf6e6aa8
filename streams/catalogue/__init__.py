"""The catalogue: what is said about items, beside what is done with them."""
