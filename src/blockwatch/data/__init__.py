"""Tables and lists that ship with the program; read by path, never imported."""
