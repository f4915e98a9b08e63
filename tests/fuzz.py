"""A fuzzer of its own: a grammar of requests over raw HTTP, from almost right to noise, the same ones for the same seed."""

import json
import random
import re
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .raw import RawConnection

# In every query, header and text that is sent, so that it would be seen in the log.
SECRET = "hsRecognisable"
# Seconds without a byte, after which a client that may have sent too little says that it has sent all.
_PATIENCE = 0.3
_BATCH = 1000
_HEAD = re.compile(rb"^HTTP/1\.[01] (\d{3}) [^\r\n]*((?:\r\n[^\r\n]+)*)\r\n\r\n", re.MULTILINE)

# fmt: off
METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "get", "A" * 30, "P\xffST"]
ROUTES = [
    "/", "/predict", "/reviewed", "/score", "/score/history", "/models", "/models/{}", "/models/{}/activate", "/models/{}/report",
    "/train/{}", "/healthz", "/readyz", "/schema", "/docs", "/admin", "/admin/", "/admin/login/", "/admin/api/tweet/",
    "/admin/r/1/{}/", "/admin/jsi18n/", "/v1/moderations", "/v1/models", "/v1/models/{}", "/v1/{}", "/v1alpha1/{}",
    "/v1alpha1/comments:analyze", "/v1alpha1/comments:suggestscore", "/$discovery/rest", "/static/api/home.js", "/static/{}",
    "/{}", "//predict", "/./predict", "/predict;a", "*", "http://127.0.0.1/predict", "127.0.0.1:80", "predict",
]
WORDS = [
    "a", "0", "-1", "1e999", "9" * 40, "true", "null", "%00", "%ff", "%ed%a0%80", "%f0%9f%98%80", "%", "%u0041", "..", "../..",
    "%2e%2e", "%2f", "~", "'", '"', "<b>", "{}", "[]", "a" * 300, "%0d%0aA:b", "20260102T000031Z-5c0ffee5", "\xff", "é", SECRET,
]
NAMES = ["page", "page_size", "format", "version", "lang", "key", "next", "q", "o", "p", "all", "id__exact", "$.xgafv", "a[]"]
TYPES = [
    "application/json", "application/json; charset=utf-8", "application/json; charset=zlib", "text/plain", "a/b", "", "/", "\xff",
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=hex", "multipart/form-data; boundary=b",
    "multipart/form-data", "multipart/form-data; boundary*=idna'en'b", "multipart/mixed; boundary=b", "a/b, application/json",
]
HEADERS = {
    "Accept": ["*/*", "application/json", "text/html", "image/png;q=x", "application/vnd.oai.openapi+json", "\xff", "a" * 5000],
    "Accept-Encoding": ["gzip", "br;q=0.5, *;q=0", "\xff"],
    "Accept-Language": ["de", "xx-" + "a" * 500, "*;q=2"],
    "Access-Control-Request-Method": ["POST", "\xff"],
    "Connection": ["keep-alive", "close, TE", "upgrade"],
    "Content-Encoding": ["gzip", "identity"],
    "Content-Length": ["0", "5", "-1", "a", "99999999999999999999", "\xb2"],
    "Cookie": ["sessionid=a; csrftoken=b", "=;;;=", "messages=\xff", 'a="\\101', f"csrftoken={'a' * 64}"],
    "Expect": ["100-continue", "a"],
    "Forwarded": ["for=1.2.3.4;proto=https", 'for="[::1'],
    "Host": ["127.0.0.1", "localhost", "evil.test", "[::1", "a b", "\xff", ""],
    "HTTP2-Settings": ["AAMAAABkAARAAAAAAAIAAAAA"],
    "If-Modified-Since": ["Thu, 01 Jan 1970 00:00:00 GMT", "a", "Thu, 99 Foo 0000 99:99:99 GMT"],
    "If-None-Match": ["*", '"a"', "W/"],
    "Origin": ["null", "https://evil.test", "http://[bad", "http://127.0.0.1", "\xff"],
    "Range": ["bytes=0-1", "bytes=-", "bytes=9-1", "bytes=a-b", "bytes=0-0,1-1", "bytes=-99999999999"],
    "Referer": ["https://[bad", "a"],
    "SCRIPT_NAME": ["/public", "/"],
    "Sec-Fetch-Site": ["same-origin", "cross-site", "a"],
    "TE": ["trailers"],
    "Transfer-Encoding": ["chunked", "gzip, chunked", "identity", "chunked, chunked", "\x0bchunked"],
    "Upgrade": ["h2c", "websocket"],
    "X-Api-Key": [SECRET, "\xff", ""],
    "X-Forwarded-For": ["1.2.3.4", "1.2.3.4:5", "[::1]:5", "\xff", ",,,", "a" * 3000],
    "X-Forwarded-Host": ["evil.test"],
    "X-Forwarded-Proto": ["https", "http, https"],
    "X-Goog-Api-Key": [SECRET],
    "X-HTTP-Method-Override": ["DELETE"],
}
TEXTS = [
    "a quiet walk", SECRET, "", " ", "\0", "\ud800", "\ude00\ud83d", "\U0001f600", "\u202e", "a" * 11_000, "é" * 9_000, "&lt;<b>",
]
FIELDS = [
    "tweet", "tweets", "explain", "is_hate_speech", "input", "model", "comment", "text", "type", "requestedAttributes",
    "attributeScores", "IDENTITY_ATTACK", "TOXICITY", "summaryScore", "spanScores", "value", "begin", "end", "languages",
    "clientToken", "communityId", "scoreType", "scoreThreshold", "spanAnnotations", "doNotStore", "context", "\ud800", "",
]
_COMMENT = {"comment": {"text": "a text"}, "clientToken": "a", "languages": ["en"]}
RIGHT = [
    {"tweet": "a text"}, {"tweets": ["a text", "another"]}, {"tweet": "a text", "explain": True},
    {"tweet": f"a text of {SECRET}", "is_hate_speech": False}, {"input": "a text", "model": "a"}, {"input": ["a", "b"]},
    {"input": [{"type": "text", "text": "a text"}]}, {**_COMMENT, "requestedAttributes": {"IDENTITY_ATTACK": {}}},
    {**_COMMENT, "attributeScores": {"IDENTITY_ATTACK": {"summaryScore": {"value": 0}}}},
    {**_COMMENT, "attributeScores": {"TOXICITY": {"spanScores": [{"begin": 0, "end": 1, "score": {"value": 1}}]}}},
]
# fmt: on


class Grammar:
    """Makes requests.

    Parameters
    ----------
    seed : int
    key : str
        A valid API key, which some of the requests show.
    """

    def __init__(self, seed: int, key: str):
        self._random = random.Random(seed)
        self._key = key

    def make_request(self) -> bytes:
        """Return the bytes of a request, or of two that follow each other."""
        data = self._make_one()
        if self._chance(0.05):
            data += self._make_one()
        return self._mutate_bytes(data) if self._chance(0.15) else data

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _pick(self, choices):
        return self._random.choice(choices)

    def _make_one(self) -> bytes:
        if self._chance(0.2):
            return self._make_right()
        target = self._pick(ROUTES).replace("{}", self._pick(WORDS))
        if self._chance(0.3):
            pairs = [f"{self._pick(NAMES)}={self._pick(WORDS)}" for _ in range(self._random.randrange(1, 4))]
            target += "?" + "&".join([*pairs, f"key={SECRET}"])
        method = self._pick(METHODS[:2]) if self._chance(0.7) else self._pick(METHODS)
        version = "HTTP/1.1" if self._chance(0.95) else self._pick(["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "", "HTTP/1.1 ", "a"])
        content_type = self._pick(TYPES[:1]) if self._chance(0.6) else self._pick(TYPES)
        body = self._make_body(content_type) if method != "GET" or self._chance(0.1) else b""
        headers = [("Host", "127.0.0.1"), ("Content-Type", content_type)]
        if self._chance(0.5):
            headers.append(("Authorization", f"Bearer {self._key if self._chance(0.9) else SECRET}"))
        if self._chance(0.9):
            headers.append(("Connection", "close"))
        for name in self._random.sample([*HEADERS], self._pick([0, 0, 1, 2, 5])):
            headers = [one for one in headers if one[0] != name or self._chance(0.1)] + [(name, self._pick(HEADERS[name]))]
        framing, body = self._frame(body)
        lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in headers + framing), "", ""]
        return "\r\n".join(lines).encode("utf-8" if self._chance(0.1) else "latin-1", "replace") + body

    def _make_right(self) -> bytes:
        """Return a request that is right but for its values."""
        body = json.dumps(self._mutate_value(self._pick(RIGHT))).encode()
        head = f"POST {self._pick([route for route in ROUTES if 'v1' in route or 're' in route])} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        more = f"Content-Type: application/json\r\nAuthorization: Bearer {self._key}\r\nConnection: close\r\n"
        return f"{head}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def _frame(self, body: bytes) -> tuple[list[tuple[str, str]], bytes]:
        if not body and self._chance(0.9):
            return [], b""
        if self._chance(0.75):
            return [("Content-Length", str(len(body)))], body
        if self._chance(0.3):
            return [("Content-Length", str(max(0, len(body) + self._pick([-3, -1, 1, 50, 2_000_000]))))], body
        step = self._pick([1, 7, 1000]) if len(body) < 2000 else 1000
        pieces = [body[at : at + step] for at in range(0, len(body), step)]
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        return [("Transfer-Encoding", "chunked")], chunks + self._pick(
            [b"0\r\n\r\n"] * 5 + [b"0\r\nA: b\r\n\r\n", b"0\r\n", b"g\r\n", b""]
        )

    def _make_body(self, content_type: str) -> bytes:
        if content_type.startswith("multipart") and self._chance(0.9):
            return self._make_multipart()
        if "form" in content_type and self._chance(0.9):
            return "&".join(f"{self._pick(FIELDS[:4])}={self._pick(WORDS)}" for _ in range(3)).encode("latin-1", "replace")
        if self._chance(0.05):
            return self._random.randbytes(self._pick([1, 100, 5000]))
        if self._chance(0.02):
            return self._pick([b"[" * 100_000, b'{"a":' * 50_000, b'{"tweet": "' + b"a" * 1_100_000 + b'"}', b"9" * 9_000])
        value = self._pick(RIGHT)
        while self._chance(0.5):
            value = self._mutate_value(value)
        return self._pick([b""] * 9 + [b"\xef\xbb\xbf"]) + json.dumps(value, ensure_ascii=True).encode()

    def _make_multipart(self) -> bytes:
        disposition = self._pick(
            ['name="tweet"', "name*=hex''a", "name", 'name="a"; filename="b"', "filename*=zlib'a'b; name=c", f'name="{SECRET}"']
        )
        extra = self._pick(
            ["", "Content-Transfer-Encoding: base64\r\n", "Content-Type: text/plain; charset=zlib\r\n", "A" * 3000]
        )
        value = self._pick(TEXTS).encode("utf-8", "surrogatepass")
        end = self._pick(["--b--\r\n", "--b", ""])
        return f"--b\r\nContent-Disposition: form-data; {disposition}\r\n{extra}\r\n".encode() + value + f"\r\n{end}".encode()

    def _mutate_value(self, value: object) -> object:
        """Return JSON in which one value is another, one field is missing, or one is new."""
        if isinstance(value, dict) and value and self._chance(0.8):
            name = self._pick([*value])
            if self._chance(0.2):
                return {key: inner for key, inner in value.items() if key != name}
            if self._chance(0.2):
                return value | {self._pick(FIELDS): self._make_value()}
            return value | {name: self._mutate_value(value[name])}
        if isinstance(value, list) and value and self._chance(0.8):
            return [*value[:-1], self._mutate_value(value[-1])] if self._chance(0.7) else value * self._pick([0, 2, 60])
        return self._make_value()

    def _make_value(self) -> object:
        numbers = [0, 1, -1, 0.5, 1e308, float("nan"), float("inf"), 10**30, True, False, None]
        return self._pick([*TEXTS, *numbers, [], {}, [self._pick(TEXTS)], {self._pick(FIELDS): self._pick(TEXTS)}, [[[[[]]]]]])

    def _mutate_bytes(self, data: bytes) -> bytes:
        changed = bytearray(data[:5000])
        for _ in range(self._pick([1, 1, 2, 10])):
            at = self._random.randrange(len(changed) or 1)
            kind = self._random.randrange(4)
            if kind == 0:
                changed[at : at + 1] = self._random.randbytes(1)
            elif kind == 1:
                del changed[at : at + self._pick([1, 5])]
            elif kind == 2:
                changed[at:at] = self._pick([b"\r", b"\n", b"\r\n", b"\0", b" ", b":", b"\xff", b"%00", b"\r\n\r\n"])
            else:
                changed[at:at] = changed[at : at + 20]
        return bytes(changed)


@dataclass
class Findings:
    """What came of the requests: how many answers of each status, and the requests whose answers are at fault."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[tuple[bytes, bytes]] = field(default_factory=list)


def fuzz(port: int, count: int, seed: int, key: str, threads: int = 16) -> Findings:
    """Send so many requests, and return what came of them."""
    grammar, findings = Grammar(seed, key), Findings()
    with ThreadPoolExecutor(threads) as pool:
        for done in range(0, count, _BATCH):
            requests = [grammar.make_request() for _ in range(min(_BATCH, count - done))]
            for request, answer in zip(requests, pool.map(lambda data: send(port, data), requests), strict=True):
                heads = [(int(status), head.lower()) for status, head in _HEAD.findall(answer)]
                findings.statuses.update([status for status, _ in heads] or [0])
                # The admin is for people in a browser: there an error is a page.
                is_page = any(status >= 400 and b"text/html" in head for status, head in heads) and b"admin" not in request
                # Without a worker, readiness is 503, and says so.
                is_fault = any(status >= 500 and (status, b"readyz" in request) != (503, True) for status, _ in heads)
                if is_fault or b"Traceback" in answer or is_page:
                    findings.faults.append((request, answer))
    return findings


def send(port: int, request: bytes) -> bytes:
    """Return all that a server answers, until it closes the connection."""
    with RawConnection(port) as connection:
        connection.send(request)
        connection.socket.settimeout(_PATIENCE)
        said = b""
        try:
            while piece := connection.socket.recv(65536):
                said += piece
        except TimeoutError:
            connection.socket.settimeout(30)
            try:
                connection.socket.shutdown(socket.SHUT_WR)
            except OSError:
                return said
            said += connection.read_to_end()
        except ConnectionResetError:
            pass
        return said
