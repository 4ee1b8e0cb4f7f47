"""The probes: one file, one question put to the network."""
