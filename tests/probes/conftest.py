"""What tests of the probes share with those of the flows."""

from tests.net.conftest import authority, far, tools

__all__ = ["authority", "far", "tools"]
