"""Chaos: everything is killed, frozen and cut off while events come; then the state is checked."""
