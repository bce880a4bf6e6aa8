"""The front door: command line, local Kafka and Redis for a laptop, demo."""
