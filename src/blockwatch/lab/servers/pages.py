"""Pages as real sites have them: a title, navigation, paragraphs; the same site, the same page."""

from __future__ import annotations

import functools
import random

_EN = (
    "about after again against along among answer archive around article autumn because before began "
    "between bridge bring building calendar camera center change chapter children city coast collect "
    "common company corner country course culture daily decade design dinner distance early editor "
    "evening event family figure forest friend future garden gather gentle ground guide harbour history "
    "holiday house image island journal kitchen language later letter library light listen little local "
    "market measure memory minute moment morning mountain museum music nature number office often open "
    "painting paper people photo picture place plain project public question quiet railway reader report "
    "river school season series shore simple small society sound spring station story street student "
    "summer table teacher theatre ticket today together tourist travel under valley village visit voice "
    "walk water weather weekend winter within wooden writer yellow young"
)
_RU = (
    "архив большой будущее весна вечер вопрос время газета голос город гость дерево деревня дорога друг "
    "журнал зима история картина книга комната концерт культура лето лист люди маленький место море музей "
    "музыка народ начало неделя новости новый общество озеро осень остров ответ писатель письмо погода "
    "поезд праздник природа прогулка путь работа разговор рассказ река рынок сад северный семья снег "
    "собрание станция старый степь страна театр тихий улица утро учитель читатель школа язык"
)
_NAV = {"en": ("Home", "News", "Archive", "Contacts"), "ru": ("Главная", "Новости", "Архив", "Контакты")}
_FORM = (
    '<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="{charset}">\n<title>{title}</title>\n'
    '<link rel="stylesheet" href="/assets/site.css">\n</head>\n<body>\n<header><h1>{heading}</h1>\n'
    "<nav>{nav}</nav></header>\n<main>\n{body}</main>\n<footer><p>© {heading}</p></footer>\n"
    "</body>\n</html>\n"
)


def _sentence(chance: random.Random, words: list[str], n: int) -> str:
    return " ".join(chance.choices(words, k=n)).capitalize() + "."


def _heading(host: str) -> str:
    return host.removeprefix("www.").split(".")[0].replace("-", " ").title()


def _html(chance: random.Random, heading: str, title: str, size: int, lang: str, charset: str) -> bytes:
    """A page of exactly ``size`` bytes, in ``lang`` and ``charset``, if ``size`` leaves room for one."""
    words = (_RU if lang == "ru" else _EN).split()
    nav = " ".join(f'<a href="/{i}">{label}</a>' for i, label in enumerate(_NAV[lang]))
    frame = _FORM.format(lang=lang, charset=charset, title=title, heading=heading, nav=nav, body="\0")
    before, after = frame.encode(charset, "replace").split(b"\0")
    body, room = [], size - len(before) - len(after)
    while room > 0:
        text = f"<h2>{_sentence(chance, words, 4)}</h2>\n<p>{_sentence(chance, words, 60)}</p>\n"
        paragraph = text.encode(charset, "replace")
        if len(paragraph) > room - 10:
            paragraph = b"<!-- %b -->" % (b"-" * (room - 9)) if room >= 9 else b"\n" * room
        body.append(paragraph)
        room -= len(paragraph)
    return b"".join([before, *body, after])


@functools.lru_cache(maxsize=4096)
def ordinary(
    host: str, size: int = 8192, lang: str = "en", charset: str = "utf-8", title: str | None = None
) -> bytes:
    """The page of a site, of ``size`` bytes: always the same for the same arguments."""
    chance = random.Random(f"{host}/{lang}")  # noqa: S311  (not for secrets)
    words = (_RU if lang == "ru" else _EN).split()
    heading = _heading(host)
    title = title or f"{heading} — {' '.join(chance.choices(words, k=4))}"
    return _html(chance, heading, title, size, lang, charset)


def dynamic(host: str, chance: random.Random) -> bytes:
    """A news page: another title, other articles and another length with each request."""
    words = _EN.split()
    heading = _heading(host)
    title = f"{' '.join(chance.choices(words, k=5)).capitalize()} | {heading}"
    return _html(chance, heading, title, chance.randrange(7_000, 18_000), "en", "utf-8")


def small(title: str, *paragraphs: str) -> bytes:
    """A short page of an error or a notice."""
    text = "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs)
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1>\n{text}</body></html>\n"
    ).encode()


def block_page(lang: str) -> bytes:
    """What a block page server shows to everybody."""
    if lang == "ru":
        return small(
            "Доступ ограничен",
            "Уважаемый абонент!",
            "Доступ к запрашиваемому ресурсу ограничен по решению уполномоченного органа.",
        )
    return small("Access Denied", "This web site is blocked on this network by order of the authorities.")


def parked(host: str) -> bytes:
    """The page of a seller of names."""
    return small(f"{host} is for sale", f"The domain {host} may be for sale. Click here to inquire.")


def challenge() -> bytes:
    """What a content network shows to a visitor it takes for a machine."""
    return small(
        "Just a moment...",
        "Enable JavaScript and cookies to continue",
        '<span id="challenge-error-text">Verifying you are human. This may take a few seconds.</span>',
        "Performance &amp; security by Cloudflare. Ray ID: 8f2c1d7ab9d03e11",
    )
