"""Outside time from servers on loopback."""
