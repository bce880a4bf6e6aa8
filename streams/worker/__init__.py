"""A worker: which shards it owns, how they are opened, folded, saved, given back and watched."""
