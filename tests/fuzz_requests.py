"""What the fuzzer sends: the reference's own requests, altered in their parameters, their HTTP and their delivery.

Whoever is recorded can be counted: each request carries a user id that no other has, at both ends of its query, so
that it begins a visit of its own whatever else was altered.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, quote_from_bytes

import recorded_tracking

Pairs = list[tuple[bytes, bytes]]

NAMES = (
    *("idsite", "rec", "url", "urlref", "action_name", "_id", "cid", "new_visit", "ping", "pv_id", "res", "lang", "ua"),
    *("uadata", "h", "m", "s", "cookie", "pdf", "ag", "cdt", "cip", "country", "city", "lat", "token_auth", "idgoal"),
    *("revenue", "ca", "bots", "send_image", "queuedtracking", "apiv", "rand", "pf_net", "pf_srv", "pf_onl"),
    *("link", "download", "search", "search_cat", "search_count", "e_c", "e_a", "e_n", "e_v", "c_n", "c_p", "c_t"),
    *("c_i", "ec_id", "ec_items", "ec_st", "ec_tx", "ec_sh", "ec_dt", "_pks", "_pkn", "_pkc", "_pkp", "_pkp5i"),
    *("cvar", "_cvar", "dimension1", "dimension2", "dimension999", "_rcn", "_rck", "_refts", "_ref", "_idts"),
)
VALUES: tuple[bytes, ...] = (
    *(b"", b" ", b"0", b"-1", b"1", b"2", b"3", b"4294967295", b"4294967296", b"99999999999999999999", b"1e400"),
    *(b"-1e300", b"nan", b"inf", b"0x1", b"1.7976931348623157e308", b"3.5e38", b"0.005", b"true", b"[]", b"{}"),
    *(b"\x00", b"\r\n", b"a\r\nSet-Cookie: b=1", b"'", b'"', b"\\", b"%", b"%zz", b"%u0041", b"%00", b"%25%30%30"),
    *(b"\xff\xfe\xfd", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xef\xbb\xbf", b"\xe2\x80\xae"),
    *("é".encode() * 300, "靴".encode() * 1100, "ключ".encode("cp1251"), "é".encode("utf-16")),
    *(b"x" * 5000, b"a" * 16, b"F" * 16, b"g" * 16),
    *(b"https://shop.example.com/thanks?q=x#y", b"//", b"http://", b"http://[", b"https://[::1", b"mailto:a@b"),
    *(b"http://\xff/", b"https://shop.example.com:99999/", b"http://a b/", b"javascript:alert(1)"),
    b"https://" + b"a." * 600,
    *(b"2026-02-30", b"9999999999", b"-62135596800", b"2026-08-20T12:00:00+25:00", b"0000-00-00 00:00:00"),
    *(b"[[]]", b'[["a"]]', b'[["a","b",["c"],1e308,1e308]]', b'[["a","b",{},-5,-3],["a","",0,"x",null]]', b"null"),
    *(b'{"1":["a","b"]}', b'{"99999999999":["a","b"]}', b'{"1":[1e308,2]}', b"{", b'"\\ud800"', b'{"a":' * 2000),
    *(b"[" * 5000, b"[" * 5000 + b"]" * 5000, b"1" * 5000, b"' OR 1=1 --", b"${jndi:ldap://127.0.0.1/a}", b"../../x"),
    *(b"255.255.255.256", b"::ffff:127.0.0.1", b"2001:db8::1%eth0", b"127.0.0.1, 10.0.0.1", b"<script>", b"&amp;amp;"),
)
AGENTS: tuple[bytes, ...] = (
    b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    b"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1",
    *(b"Googlebot/2.1", b"", b"curl/8", b"\xff\xfe", b"(" * 3000, b"Mozilla/5.0 (" * 300, b"Android " * 200),
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    *((b"Accept-Language", value) for value in (b"", b"de-AT,de;q=0.9", b"x" * 4000, b"\xff", b"*;q=1e999", b",,,,")),
    *((b"Referer", value) for value in (b"https://www.google.com/search?q=a", b"http://[", b"\xe9", b"x" * 7000)),
    *((b"Content-Encoding", value) for value in (b"gzip", b"br", b"x")),
    *((b"X-Forwarded-For", value) for value in (b"1.2.3.4", b"a, b, 10.0.0.1:80, [::1]:9", b"," * 3000)),
    *((b"Sec-CH-UA", b'"' * 500), (b"Sec-CH-UA-Mobile", b"?9"), (b"Sec-Purpose", b"prefetch"), (b"DNT", b"1")),
    *((b"Cookie", b"a=" + b"b" * 6000), (b"Origin", b"null"), (b"Origin", b'https://\xff"'), (b"X-Moz", b"prefetch")),
    *((b"Expect", b"100-continue"), (b"Upgrade", b"websocket"), (b"Range", b"bytes=0-0"), (b"Accept", b"text/html")),
    *((b"Authorization", b"Bearer \xff"), (b"Host", b"a, b"), (b"X-Requested-With", b"\xc3\xa9"), (b"TE", b"trailers")),
)
TYPES: tuple[bytes, ...] = (
    *(b"application/x-www-form-urlencoded", b"application/x-www-form-urlencoded; charset=UTF-8", b"text/plain", b""),
    *(b"application/json", b"application/json; charset=utf-16", b"multipart/form-data; boundary=x", b"\xff/x"),
)
SUFFIXES = (b"[]", b"[a]", b"[a][b]", b"\x00", b" ", b".")  # of names
VERSIONS = (b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"FOO", b"")
METHODS = (b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"PATCH", b"TRACE", b"post", b"GETS", b"POST", b"GET")
PATHS = (
    *(b"/piwik.php", b"//matomo.php", b"/matomo.php/", b"/MATOMO.PHP", b"/matomo.php;x=1", b"/./matomo.php", b"*"),
    *(
        b"/matomo.php%00",
        b"/" + b"a" * 9000,
        b"/" + b"a" * 40_000,
        b"/\xff",
        b"http://127.0.0.1/matomo.php",
        b"/matomo%2ephp",
    ),
)
_FORM = (b"Content-Type", TYPES[0])
_HOST = (b"Host", b"127.0.0.1")
_LAST = (b"Connection", b"close")
_PATIENCE = 15.0  # seconds within which whoever sends a whole request is answered
_LITTLE_PATIENCE = 0.3
_ID_DIGITS = 24
_LONGEST_QUERY = 15_000  # with its headers less than MAX_HEADER_BYTES: beyond, the endpoint ends the connection
_MARK_LENGTH = len("uid=") + _ID_DIGITS


@dataclass(frozen=True)
class Delivery:
    """What is written to one connection.

    Args:
        kind: of its alteration, for the figures.
        slices: bytes, written one after the other.
        pause: seconds between two slices.
        answers: how many answers must come; 0 when none need come.
        patience: seconds to wait for them.
        cut: whether the connection is broken off after the last slice.
        canary: the address of the page that must be recorded because nothing was altered.
    """

    kind: str
    slices: tuple[bytes, ...]
    pause: float = 0.0
    answers: int = 1
    patience: float = _PATIENCE
    cut: bool = False
    canary: str = ""


@dataclass(frozen=True)
class Message:
    """An HTTP request."""

    query: bytes
    body: bytes = b""
    method: bytes = b"GET"
    path: bytes = b"/matomo.php"
    version: bytes = b"HTTP/1.1"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def encode(self) -> bytes:
        """Its bytes, with the length of its body where it has one."""
        length = [(b"Content-Length", str(len(self.body)).encode())] if self.body or self.method == b"POST" else []
        return self.head([*self.headers, *length]) + self.body

    def head(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """The bytes before its body."""
        lines = [b"%s %s?%s %s" % (self.method, self.path, self.query, self.version)]
        lines += [b"%s: %s" % header for header in (_HOST, *headers, _LAST)]
        return b"\r\n".join(lines) + b"\r\n\r\n"


class Fuzz:
    """Makes deliveries, the same ones for the same seed.

    Args:
        canary_site: the site of the requests that nothing is done to.
        token: a superuser's, for the requests that had one.
    """

    def __init__(self, seed: int, canary_site: int, token: str) -> None:
        self._random = random.Random(seed)
        self._canary_site = canary_site
        self._number = 0
        self._seeds = [
            _pairs_of(request, token)
            for topic in recorded_tracking.TOPICS
            for scenario in recorded_tracking.scenarios(topic)
            for request in scenario["requests"]
        ]
        self._kinds: dict[Callable[[], Delivery], int] = {
            self._canary: 60,
            self._parameters: 90,
            self._form: 45,
            self._bulk: 20,
            self._broken_bulk: 12,
            self._odd_http: 25,
            self._framing: 15,
            self._bytes: 25,
            self._pipelined: 8,
            self._cut: 15,
            self._slow: 4,
            self._large: 1,
        }

    def next(self) -> Delivery:
        """The next one."""
        (make,) = self._random.choices(list(self._kinds), list(self._kinds.values()))
        return make()

    # --- kinds ---

    def _canary(self) -> Delivery:
        """A page view as it should be, of one of a few visitors who share batches with all the rest."""
        self._number += 1
        page = f"canary.example/{self._number}"
        query = (
            f"idsite={self._canary_site}&rec=1&send_image=0&_id={self._random.randrange(50) + 1:016x}"
            f"&url=https%3A%2F%2F{page}"
        )
        message = Message(query.encode(), headers=[(b"User-Agent", AGENTS[0])])
        return Delivery("canary", (message.encode(),), canary=page)

    def _parameters(self) -> Delivery:
        return Delivery("parameters", self._slices(self._get().encode()))

    def _form(self) -> Delivery:
        return Delivery("form", self._slices(self._post().encode()))

    def _bulk(self) -> Delivery:
        document: dict[str, Any] = {"requests": [self._entry() for _ in range(self._random.randrange(30))]}
        if self._chance(0.2):
            document["token_auth"] = self._random.choice(("a" * 32, "", 5, None, ["x"]))
        text = json.dumps(document, ensure_ascii=self._chance(0.5))
        return Delivery("bulk", self._slices(self._posted(text.encode("utf-8", "surrogatepass")).encode()))

    def _broken_bulk(self) -> Delivery:
        entries = json.dumps([self._entry() for _ in range(3)]).encode("utf-8", "surrogatepass")
        whole = b'{"requests":' + entries + b"}"
        body = self._random.choice(
            (
                whole[: self._random.randrange(len(whole))],
                b'{"requests":' * self._random.choice((2, 100, 50_000)),
                b'{"requests":' + b"[" * 100_000,
                b'{"requests":' + b"[" * 900 + b"]" * 900 + b"}",
                b'{"requests":' + b'{"a":' * 900 + b"1" + b"}" * 901,
                b'{"requests":{"0":"?idsite=1&rec=1"}}',
                b'{"requests":null}',
                b'{"requests":[NaN,Infinity,-0,1e999,9' + b"9" * 5000 + b"]}",
                b'{"requests":[{"idsite":1,"rec":1,"url":{"a":[{"b":null}]}},[],[[]],true,null,7,"","?","#","?#"]}',
                b"\xef\xbb\xbf" + whole,
                whole.decode().encode("utf-16"),
                b'"requests"',
                b'["requests"]',
                b'{"requests":["\\ud800"],"token_auth":"\xff"}',
            )
        )
        return Delivery("broken bulk", (self._posted(body).encode(),))

    def _odd_http(self) -> Delivery:
        message = self._get() if self._chance(0.5) else self._post()
        odd = self._random.randrange(4)
        if odd == 0:
            message = replace(message, method=self._random.choice(METHODS))
        elif odd == 1:
            message = replace(message, path=self._random.choice(PATHS))
        elif odd == 2:
            message = replace(message, version=self._random.choice(VERSIONS))
        else:
            many = self._random.choice((1, 3, 300))
            message = replace(message, headers=[*message.headers, *self._random.choices(HEADERS, k=many)])
        return Delivery("odd HTTP", (message.encode(),), answers=0)

    def _framing(self) -> Delivery:
        message, body = self._post(), self._post().body
        wrong = self._random.choice((b"0", b"1", b"-1", b"abc", b"99999999", b"9" * 30, b"%d" % (len(body) + 50)))
        chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in self._parts(body, 9) if part)
        chunked = (b"Transfer-Encoding", b"chunked")
        right = message.head([_FORM, chunked]) + chunks + b"0\r\nTrailer: x\r\n\r\n"
        if self._chance(0.4):
            return Delivery("chunked", self._slices(right))
        sent = self._random.choice(
            (
                message.head([_FORM, (b"Content-Length", wrong)]) + body,
                message.head([_FORM, (b"Content-Length", b"5"), (b"Content-Length", b"6")]) + body,
                message.head([_FORM, (b"Content-Length", b"5"), chunked]) + chunks + b"0\r\n\r\n",
                message.head([_FORM, chunked]) + b"zz\r\n" + body + b"\r\n0\r\n\r\n",
                message.head([_FORM, chunked]) + b"f" * 20 + b"\r\n" + body,
                message.head([_FORM, chunked]) + chunks,
                message.head([_FORM]) + body,
            )
        )
        return Delivery("broken framing", (sent,), answers=0, patience=_LITTLE_PATIENCE)

    def _bytes(self) -> Delivery:
        """Some bytes of the whole changed: none of the user ids, none to a `#`, which would end the query."""
        sent = (self._get() if self._chance(0.5) else self._post()).encode()
        start = sent.index(b"uid=")
        mark = sent[start : start + _MARK_LENGTH]
        parts = [bytearray(part) for part in sent.split(mark)]
        for _ in range(self._random.choice((1, 2, 8))):
            part = self._random.choice(parts)
            place, value = self._random.randrange(len(part)), self._random.choice(b"\x00\r\n %&=/:\x7f\x80\xff09aZ")
            if self._chance(0.7):
                part[place] = value
            elif self._chance(0.5) or len(part) == 1:
                part.insert(place, value)
            else:
                del part[place]
        return Delivery("bytes", (mark.join(parts),), answers=0, patience=_LITTLE_PATIENCE)

    def _pipelined(self) -> Delivery:
        kept = [self._get().encode().replace(b"Connection: close\r\n", b"") for _ in range(4)]
        return Delivery("pipelined", (b"".join((*kept, self._post().encode())),), answers=len(kept) + 1)

    def _cut(self) -> Delivery:
        """The client goes away: in the middle, or before the answer."""
        sent = (self._get() if self._chance(0.3) else self._post()).encode()
        end = len(sent) if self._chance(0.3) else self._random.randrange(len(sent))
        return Delivery("cut", self._slices(sent[:end]), answers=0, cut=True)

    def _slow(self) -> Delivery:
        sent = self._post().encode()
        if self._chance(0.3):  # stalls and never ends
            half = sent[: len(sent) // 2]
            return Delivery("stalled", (half[:30], half[30:], b""), 1.5, answers=0, cut=True)
        return Delivery("slow", self._parts(sent, 30), 0.05)

    def _large(self) -> Delivery:
        """Near the largest body, and beyond."""
        size = self._random.choice((300_000, 1_000_000, 4_000_000, 5_000_000))
        filler = self._random.choice((b"x", b"%20", b"&a=1", b"a=%C3%A9&", b"[", b"\xff", b"&url=" + b"y" * 999))
        message = self._post()
        body = message.body + b"&action_name=" + filler * (size // len(filler))
        return Delivery("large", (replace(message, body=body).encode(),), answers=0 if size > 4_000_000 else 1)

    # --- parts ---

    def _get(self) -> Message:
        return Message(self._identified(self._encoded(self._altered())), headers=self._headers())

    def _post(self) -> Message:
        """A form, or whatever its content type says; some of the parameters in the query."""
        pairs = self._altered()
        split = self._random.randrange(len(pairs) + 1)
        message = self._posted(self._encoded(pairs[split:]))
        return replace(message, query=self._identified(self._encoded(pairs[:split])))

    def _posted(self, body: bytes) -> Message:
        content_type = (b"Content-Type", self._random.choice(TYPES))
        return Message(b"a=b", body, b"POST", headers=[content_type, *self._headers()])

    def _entry(self) -> Any:
        """An entry of a bulk body: text, an object, or nonsense."""
        pairs = self._altered()
        if self._chance(0.05):
            return self._random.choice((None, 7, [], "", "?", "?idsite=1", {}, {"idsite": [1]}, True, "\ud800"))
        if self._chance(0.3):
            texts = {name.decode("utf-8", "replace"): value.decode("utf-8", "surrogateescape") for name, value in pairs}
            values: dict[str, Any] = {**texts, "uid": self._own_id()}
            if self._chance(0.3):
                values[self._random.choice(NAMES)] = self._random.choice((None, True, 1.5, [1, [2]], {"a": {}}, 10**40))
            return values
        return "?" + self._identified(self._encoded(pairs)).decode("utf-8", "surrogateescape")

    def _altered(self) -> Pairs:
        """The parameters of a recorded request, some of them altered."""
        pairs = list(self._random.choice(self._seeds))
        for _ in range(self._random.choice((0, 1, 1, 2, 5))):
            place = self._random.randrange(len(pairs) + 1)
            name, value = self._random.choice(NAMES).encode(), self._random.choice(VALUES)
            what = self._random.randrange(6)
            if what == 0 or place == len(pairs):
                pairs.insert(place, (name, value))
            elif what == 1:
                del pairs[place]
            elif what == 2:
                pairs.insert(place, pairs[place])
            elif what == 3:
                pairs[place] = (
                    pairs[place][0] + self._random.choice(SUFFIXES),
                    value,
                )
            else:
                pairs[place] = (pairs[place][0], value)
        return pairs

    def _encoded(self, pairs: Pairs) -> bytes:
        """The parameters as a query; now and then with characters that should have been escaped, or bad escapes."""
        safe = self._random.choices(("", "/:", "{}[]\",:'\\|^`<>", "%"), (70, 15, 10, 5))[0]
        encoded = b"&".join(
            quote_from_bytes(name, safe).encode() + b"=" + quote_from_bytes(value, safe).encode()
            for name, value in pairs
        )
        return encoded[:_LONGEST_QUERY]

    def _identified(self, query: bytes) -> bytes:
        mark = b"uid=" + self._own_id().encode()
        return b"&".join(part for part in (mark, query, mark) if part)

    def _own_id(self) -> str:
        """A user id that nobody else has, nor is made from one by changing a byte or two."""
        return f"{self._random.getrandbits(4 * _ID_DIGITS):0{_ID_DIGITS}x}"

    def _headers(self) -> list[tuple[bytes, bytes]]:
        headers = [(b"User-Agent", self._random.choices(AGENTS, (60, 20, *[3] * (len(AGENTS) - 2)))[0])]
        if self._chance(0.15):
            harmless = [header for header in HEADERS if header[0] not in (b"Expect", b"Upgrade", b"Host", b"TE")]
            headers.append(self._random.choice(harmless))
        return headers

    def _slices(self, sent: bytes) -> tuple[bytes, ...]:
        return self._parts(sent, self._random.randrange(2, 6)) if self._chance(0.15) else (sent,)

    def _parts(self, sent: bytes, count: int) -> tuple[bytes, ...]:
        places = sorted(self._random.randrange(len(sent) + 1) for _ in range(count - 1))
        edges = [0, *places, len(sent)]
        return tuple(sent[start:end] for start, end in pairwise(edges))

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability


def _pairs_of(request: dict[str, Any], token: str) -> Pairs:
    """The parameters of a recorded request without its user id; a bulk body has none that could be altered alone."""
    text = "&".join(part for part in (request["query"], request["body"]) if part and not part.startswith("{"))
    text = text.replace("%7BTOKEN%7D", token).replace("{TOKEN}", token)
    pairs = parse_qsl(text, keep_blank_values=True, encoding="latin-1")
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs if name != "uid"]
