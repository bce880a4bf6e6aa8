"""The way to and from Kafka: the batch transport, topics, producers, offsets."""
