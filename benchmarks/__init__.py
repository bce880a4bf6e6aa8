"""What it costs and how good it is, beside its peers in the same run."""
