"""What one look for fingerprints costs: pages of 30,000 bytes of many kinds, each against a whole table.

Rules: processor time is counted; a figure is the median of fifteen rounds; the text comes decoded, as the
judge has it, and the first look, which prepares the table, is told apart. Pages are made up here, of letters
and words of each language, with tags; real ones are handed in. The table's own literals make the rest.

    python bench/pages.py [fingerprints_http.csv]
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from blockwatch.judge import Fingerprint, Pack, read_pack

TABLE = Path(__file__).parents[2] / "shared" / "data" / "fingerprints" / "fingerprints_http.csv"
SIZE = 30_000  # bytes of a page as sent
ROUNDS, LOOKS = 15, 20
LANGUAGES = {
    "Latin": "the of and to in is for on with this page more about news contact home service read all your "
    "can have from access law people information government first time year who what free work report",
    "Latin with accents": "le la les été déjà où très après ça même fenêtre août être à propos accès réseau "
    "où liberté presse société économie journée président français élection",
    "Russian": "и в не на что сайт страница новости доступ главная контакты подробнее решение суда закон "
    "связи страны год время работа информация российской федерации газета человек",
    "Kazakh": "және бұл мен үшін жаңалықтар басты бет қазақстан республикасы әкімдігі туралы көбірек ғылым "
    "қоғам білім ұлттық өңір дүние жүзі халық үкімет",
    "Tajik": "ва дар аз барои хабарҳо саҳифаи асосӣ тоҷикистон ҷумҳурии вазорати муфассал ӯ қонун ғайр "
    "мардум забони ҳукумат ҷаҳон иқтисод фарҳанг рӯзнома",
    "Chinese": "新闻 首页 关于 我们 联系 更多 服务 网站 中国 中心 信息 公司 政府 社会 经济 文化",
}
TAGS = ('<p class="text">', "</p>\n", '<a href="/index.html">', "</a>", '<div id="a1">', "</div>", "<br/>")
SCRIPT = (
    "function(e,t){return!0===e.n&&t.push(r[%d]),void 0!==i?a(o.x%d):null};var c%d=document.querySelector("
)


def written(words: str, tagged: float = 0.15) -> str:
    """Words of a language at random, every seventh followed by a tag; more than enough of them."""
    rng = random.Random(words)  # noqa: S311
    vocabulary, parts = words.split(), []
    for _ in range(SIZE // 2):
        parts.append(rng.choice(vocabulary))
        if rng.random() < tagged:
            parts.append(rng.choice(TAGS))
    return " ".join(parts)


def minified() -> str:
    """A script as build tools leave it."""
    return "".join(SCRIPT % (n, n * 7 % 1_000, n) for n in range(SIZE // 60))


def cut(text: str, encoding: str = "utf-8") -> str:
    """The text of a page of ``SIZE`` bytes."""
    return text.encode(encoding, "replace")[:SIZE].decode(encoding, "replace")


def kinds(pack: Pack) -> Iterator[tuple[str, str]]:
    """Pages by the name of their kind."""
    for language, words in LANGUAGES.items():
        yield language, cut(written(words))
    for language in ("Russian", "Kazakh", "Tajik"):
        yield f"{language}, without tags", cut(written(LANGUAGES[language], 0))
    russian = written(LANGUAGES["Russian"])
    yield "Russian in windows-1251", cut(russian, "cp1251")
    yield "the same, read as UTF-8", russian.encode("cp1251")[:SIZE].decode("utf-8", "replace")
    yield "a script, minified", cut(minified())
    shown = [one for one in pack.prints if one.where == "body" and one.kind == "contains"]
    block = max((one for one in shown if one.scope != "fp"), key=lambda one: len(one.pattern)).pattern
    vetoes = [one.pattern for one in shown if one.scope == "fp"]
    veto = max(vetoes, key=len) if vetoes else "no table with vetoes"
    near = [one.pattern[:-1] + "~" for one in shown[:: max(len(shown) // 10, 1)]]
    for language in ("Latin", "Latin with accents", "Russian"):
        page = written(LANGUAGES[language])
        half = page[: SIZE // 4]
        yield f"{language}, with a page on record in it", cut(half + block + page)
        yield f"{language}, with a veto in it", cut(half + veto + page)
        yield f"{language}, with both", cut(half + block + veto + page)
        yield f"{language}, with ten near misses", cut(half + " ".join(near) + page)
    every = "".join(one.pattern[:-1] + "~" for one in shown)
    yield "hostile: near misses alone", cut(every * (SIZE // len(every) + 1))
    yield "hostile: one of them over and over", cut((block[:-1] + "~") * SIZE)


def cost(pack: Pack, text: str) -> float:
    """Milliseconds of one look."""
    pack.page((), text)
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for _ in range(LOOKS):
            pack.page((), text)
        rounds.append(time.process_time_ns() - began)
    return statistics.median(rounds) / LOOKS / 1e6


def search(pack: Pack, real: list[str]) -> None:
    """Print what a look costs for each kind of page; ``real``: pages as recorded."""
    count = sum(one.where == "body" for one in pack.prints)
    began = time.process_time_ns()
    pack.page((), "x")
    pack.page((), "x" * SIZE)
    ready = (time.process_time_ns() - began) / 1e6
    print(f"fingerprints of bodies: {count} in pages of {SIZE:,} bytes (the first look: {ready:.0f} ms)")
    for size in (3_000, 10_000, 20_000, SIZE):
        costs = [cost(pack, (page * (size // len(page) + 1))[:size]) for page in real]
        if costs:
            middle, worst = statistics.median(costs), max(costs)
            print(
                f"  {len(real)} recorded, {size:,} characters: median {middle:.3f} ms, worst {worst:.3f} ms"
            )
    for kind, page in kinds(pack):
        print(f"  {kind} ({len(page):,} characters): {cost(pack, page):.3f} ms")


def made_up(count: int = 1_311) -> Pack:
    """Fingerprints as many and as long as OONI's, of words of our own; a third of them vetoes."""
    rng = random.Random(1)  # noqa: S311
    sizes = rng.choices((11, 18, 28, 45, 90), weights=(7, 12, 35, 30, 16), k=count)
    words = ("block", "page", "access", "notice", "court", "order", "www", "http", "title", "provider")
    prints = []
    for n, size in enumerate(sizes):
        text = f"{' '.join(rng.choices(words, k=size // 4))[: size - 5]}{n:05}"
        prints.append(Fingerprint(f"n{n}", "isp" if n % 3 else "fp", "body", "contains", text, 5))
    return Pack(prints)


def table(path: Path) -> Pack:
    """The fingerprints in a file; where there is none, as many made up."""
    return read_pack(path.read_bytes(), str(path)) if path.is_file() else made_up()


if __name__ == "__main__":
    search(table(Path(sys.argv[1]) if len(sys.argv) > 1 else TABLE), [])
