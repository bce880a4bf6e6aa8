"""What is saved is compared with the log: the fold, the comparison, and what to begin at."""
