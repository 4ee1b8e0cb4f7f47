"""Tables out of verdicts. Importing this package imports pandas: measuring never does."""
