"""blockwatch: measure whether a network blocks a site, keep the evidence, say what it means."""

__version__ = "0.1.0"
