"""Feeds damaged input to everything that reads what strangers send. Run by hand: ``make fuzz``."""
