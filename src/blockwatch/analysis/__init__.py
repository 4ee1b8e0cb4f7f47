"""Tables out of verdicts. Whatever makes one imports pandas: measuring never does."""
