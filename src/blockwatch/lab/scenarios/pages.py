"""What censors inject: block pages, redirects and alerts, as raw bytes.

The texts are those seen in the field or in public test suites, or short ones of our own; sources
stand with the rows that use them.
"""

from __future__ import annotations

import gzip

from blockwatch.lab.scenarios.say import reply
from blockwatch.lab.servers.pages import ordinary

_DENIED = (
    b"<!doctype html>\n<html>\n<head>\n<title>Access Denied</title>\n</head>\n<body>\n<div>\n"
    b"<h1>Access Denied</h1>\n<p>This request cannot be served in your jurisdiction.</p>\n</div>\n"
    b"</body>\n</html>\n"
)
_HTML = "Content-Type: text/html"
_UTF8 = "Content-Type: text/html; charset=utf-8"
_RU = (
    "<html><head><meta http-equiv='Content-Type' content='text/html; charset={charset}'>"
    "<title>Доступ ограничен</title></head><body><h1>Уважаемый абонент!</h1><p>Доступ к запрашиваемому "
    "ресурсу ограничен на основании решения уполномоченного органа в соответствии с законом о связи."
    "</p></body></html>"
)
_UNTITLED = b"<html><body><p>This resource is not available on this network.</p></body></html>"

DENIED_BARE = b"HTTP/1.0 200 OK\r\n\r\n" + _DENIED
DENIED = reply("200 OK", _DENIED, _UTF8)
DENIED_403 = reply("403 Forbidden", _DENIED, _UTF8)
UNTITLED = reply("200 OK", _UNTITLED, _HTML)
UNTITLED_BARE = reply("200 OK", _UNTITLED, _HTML, length=False)
STOP = reply("200 OK", b"<html><head><title>Stop</title></head><body><h1>Stop</h1></body></html>", _HTML)
KG_JUDICIAL = reply(
    "200 OK",
    b"<html><body><p>Access to the requested website has been blocked by judicial decision!"
    b"</p></body></html>",
    _HTML,
)
RU_UTF8 = reply("200 OK", _RU.format(charset="utf-8").encode(), _UTF8)
RU_1251 = reply("200 OK", _RU.format(charset="windows-1251").encode("cp1251"), _HTML, length=False)
UZ_REDIRECT = reply("302 Found", b"", "Location: http://reestr.mitc.uz/", length=False)[:-2] + (
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)
REDIRECT_TO_ADDRESS = (
    reply("307 Temporary Redirect", b"", "Location: http://92.46.33.7/blocked?id=77", length=False)[:-2]
    + b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)
REDIRECT_TO_B = reply("302 Found", b"", "Location: https://@b@/", "Connection: close")
META_REFRESH = reply(
    "200 OK",
    b"<html><head><meta http-equiv='refresh' content='0;url=http://92.46.33.7/blocked'></head></html>",
    _HTML,
)
NOTHING = reply("200 OK", b"", _HTML)
NOT_FOUND = reply(
    "404 Not Found", b"<html><head><title>404 Not Found</title></head><body>404</body></html>", _HTML
)
REDIRECT_TO_SELF = reply("302 Found", b"", "Location: http://@a@/?blocked=1", "Connection: close")
REDIRECT_INWARD = reply("302 Found", b"", "Location: http://10.200.0.9/block", "Connection: close")
REDIRECT_TO_B_PLAIN = reply("302 Found", b"", "Location: http://@b@/", "Connection: close")
REDIRECT_TO_NOBODY = reply("302 Found", b"", "Location: http://81.88.150.9/stop", "Connection: close")

# TLS records: alert, version 1.2, length 2, fatal, code (RFC 8446, section 6).
ALERT_UNRECOGNIZED_NAME = bytes([21, 3, 3, 0, 2, 2, 112])
ALERT_HANDSHAKE_FAILURE = bytes([21, 3, 3, 0, 2, 2, 40])
CLOSE_NOTIFY = bytes([21, 3, 3, 0, 2, 1, 0])

# Pages of censors that do not look like one.
MAINTENANCE = reply(
    "200 OK",
    b"<html><head><title>Maintenance</title></head><body>The site is under maintenance. Please come back "
    b"later.</body></html>",
    _UTF8,
)
BARE_403 = reply(
    "403 Forbidden",
    b"<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>",
    "Server: nginx",
    _HTML,
)
CLOSED_GZIP = reply(
    "200 OK",
    gzip.compress(
        "<html><head><title>Закрыто</title></head><body>Сайт закрыт.</body></html>".encode(), mtime=0
    ),
    _UTF8,
    "Content-Encoding: gzip",
)
IN_A_FRAME = reply(
    "200 OK",
    b"<html><body><iframe src='http://92.46.33.7/' width=100% height=100%></iframe></body></html>",
    _UTF8,
)
KAZAKH = reply(
    "200 OK",
    "<html><head><title>Назар аударыңыз</title></head>"
    "<body>Бұл сайтқа қолжетімділік шектелген.</body></html>".encode(),
    _UTF8,
)
LONG = reply(
    "200 OK", ordinary("info.telecom-gw.net", size=24000, lang="ru", title="Уважаемый абонент"), _UTF8
)
