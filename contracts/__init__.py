"""What others rely on: topics, keys, metrics, settings, exit codes, errors; each written once."""
