"""What leaves or reaches the machine on purpose, by a command that says so; never during a run."""
