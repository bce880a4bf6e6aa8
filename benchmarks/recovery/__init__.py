"""Recovery: what a disaster takes, and how long it is until answers are fresh again."""
