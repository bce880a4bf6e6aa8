"""What flows: the Faust app and its transport, agents, pipelines, telemetry, replay."""
