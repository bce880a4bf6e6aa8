"""What lasts: lists, snapshots, predictions; the only folder that knows Redis."""
