"""The volunteer's machine: where state is kept, what was consented to, how the last run went."""
