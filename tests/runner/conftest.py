"""What tests of the runner share with those of the flows."""

import pytest

from tests.net.conftest import authority, far, tools
from tests.net.far import SITE, page, plain_page

from .making import OTHER

__all__ = ["authority", "far", "tools"]


@pytest.fixture
async def sites(far):
    """a, b and c work."""
    far.names = {f"{name}.example": [SITE] for name in "abc"} | {"dead.example": [OTHER]}
    await far.serve(
        SITE, 80, plain_page(page(b"<title>Hello</title>", headers="Content-Type: text/html\r\n"))
    )
    far.black_hole(OTHER, 80)
