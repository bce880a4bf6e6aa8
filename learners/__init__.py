"""What learns: pure, synchronous, seeded; the only folder that knows River."""
