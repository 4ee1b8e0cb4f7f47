"""A response read from text is read as from its bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from blockwatch.ooni.responses import _body, _title

CHARSETS = ("utf-8", "windows-1251", "koi8-r", "gb18030", "shift_jis", "utf-16", "utf-16le", "nonsense")
PIECES = st.sampled_from(
    [
        "<title>",
        "<TITLE lang=x>",
        "</title>",
        "<ti",
        "Запрещено",
        "blocked ",
        "é",
        "\ufeff",
        "\ud800",
        "日本",
        "&amp;",
        " \n",
        *(f'<meta charset="{name}">' for name in CHARSETS),
    ]
)
KINDS = st.sampled_from(
    ["", "text/html", "application/json", *(f"text/html; charset={name}" for name in CHARSETS)]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join), KINDS)
def test_the_title_is_the_same_from_text_and_from_bytes(body: str, kind: str) -> None:
    headers = (("Content-Type", kind),) if kind else ()
    told, size = _body(body)
    data = body.encode("utf-8", "surrogatepass")
    assert size == len(data)
    assert _title(headers, told or "") == _title(headers, data)
