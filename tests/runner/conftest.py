from tests.net.conftest import authority, far, tools

__all__ = ["authority", "far", "tools"]
