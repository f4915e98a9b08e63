"""Posts out of feeds, from a local server that speaks RSS, Atom and Mastodon's API."""

import contextlib
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from api.review_queue.feeds import FeedReader
from api.review_queue.found import FoundPost
from api.web import outbound
from api.web.outbound import OutboundError, is_public

RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>
<item><title>Good news</title><link>https://news.example/1</link><description>
&lt;p&gt;The park is &lt;b&gt;open&lt;/b&gt;.&lt;/p&gt;
&lt;script&gt;alert(1)&lt;/script&gt;</description></item>
<item><title>Only a title</title></item>
<item><description>   </description></item>
</channel></rss>"""
ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title>
<entry><title>Two lines</title><link href="https://blog.example/2"/>
<content type="html">&lt;p&gt;First &amp;amp; foremost&lt;/p&gt;&lt;p&gt;Second&lt;/p&gt;</content></entry>
</feed>"""


@pytest.fixture(autouse=True)
def private_addresses(settings):
    settings.FEEDS_FROM_PRIVATE_ADDRESSES = True


def read(url: str, limit: int) -> list[FoundPost]:
    return list(FeedReader(url, limit=limit).read())


def test_rss(web):
    web.pages["/feed"] = RSS
    assert read(f"{web.url}/feed", limit=10) == [
        FoundPost("Good news\nThe park is open.", "https://news.example/1"),
        FoundPost("Only a title", ""),
    ]


def test_atom(web):
    web.pages["/feed"] = ATOM
    assert read(f"{web.url}/feed", limit=10) == [FoundPost("Two lines\nFirst & foremost\nSecond", "https://blog.example/2")]


def test_the_limit_holds(web):
    web.pages["/feed"] = RSS
    assert len(read(f"{web.url}/feed", limit=1)) == 1


def statuses(first, count):
    return [
        {
            "id": str(number),
            "content": f"<p>Post {number} of &lt;somebody&gt;</p>",
            "url": f"https://social.example/{number}",
            "created_at": "2026-01-02T00:00:00.000Z",
        }
        for number in range(first, first - count, -1)
    ]


def timeline(web, total, **headers):
    def page(handler):
        query = parse_qs(urlsplit(handler.path).query)
        newest = int(query.get("max_id", [total + 1])[0]) - 1
        shown = statuses(newest, min(int(query["limit"][0]), newest))
        extra = dict(headers)
        if shown and int(shown[-1]["id"]) > 1:
            extra["Link"] = f'<{web.url}/api/v1/timelines/public?limit={query["limit"][0]}&max_id={shown[-1]["id"]}>; rel="next"'
        return 200, {"Content-Type": "application/json", **extra}, json.dumps(shown).encode()

    return page


def test_a_mastodon_timeline_is_read_page_by_page(web):
    web.pages["/api/v1/timelines/public"] = timeline(web, 90)
    posts = read(f"{web.url}/api/v1/timelines/public?local=true", limit=200)
    assert len(posts) == 90
    assert posts[0] == FoundPost("Post 90 of <somebody>", "https://social.example/90")
    asked = [path for path in web.asked if "timelines" in path]
    assert len(asked) >= 3
    assert "local" in asked[0]


def test_no_more_pages_than_the_limit_needs(web):
    web.pages["/api/v1/timelines/public"] = timeline(web, 1000)
    assert len(read(f"{web.url}/api/v1/timelines/public", limit=50)) == 50
    assert len([path for path in web.asked if "timelines" in path]) == 2


def test_a_hashtags_timeline(web):
    web.pages["/api/v1/timelines/tag/park"] = lambda handler: (
        200,
        {"Content-Type": "application/json"},
        json.dumps(statuses(3, 3)).encode(),
    )
    assert len(read(f"{web.url}/api/v1/timelines/tag/park", limit=3)) == 3


@pytest.fixture
def events(monkeypatch) -> list:
    """Give a list that takes down the seconds of each sleep, which is none; a test adds to it what else happens."""
    events = []
    monkeypatch.setattr(time, "sleep", events.append)
    return events


def until_reset(seconds: int) -> dict:
    """Return the headers of a server that allows nothing more for so many seconds."""
    reset = datetime.now(UTC) + timedelta(seconds=seconds)
    return {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset.isoformat()}


def test_a_rate_limit_is_waited_for(web, events):
    whole = timeline(web, 80, **until_reset(100))
    web.pages["/api/v1/timelines/public"] = lambda handler: events.append("asked") or whole(handler)
    assert len(read(f"{web.url}/api/v1/timelines/public", limit=80)) == 80
    first, waited, second, *_ = events
    assert (first, second) == ("asked", "asked")
    assert waited == pytest.approx(100, abs=30)


def test_too_many_requests_are_waited_out(web, events):
    whole = timeline(web, 5)
    web.pages["/api/v1/timelines/public"] = lambda handler: whole(handler) if sum(events) > 50 else (429, until_reset(100), b"{}")
    assert len(read(f"{web.url}/api/v1/timelines/public", limit=5)) == 5
    assert sum(events) == pytest.approx(100, abs=30)


def redirect(to):
    return lambda handler: (302, {"Location": to}, b"")


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (b"<html><p>no feed</p></html>", "no RSS, Atom or JSON feed"),
        (lambda handler: (500, {}, b""), "500"),
        (lambda handler: (404, {}, b""), "404"),
        (lambda handler: (200, {}, b"x" * (outbound.MAX_BYTES + 1)), "more than 10 MiB"),
        (redirect("/feed"), "redirects"),
        (redirect("ftp://127.0.0.1/x"), "ftp"),
    ],
)
def test_what_cannot_be_had_is_one_clear_line(web, page, message):
    web.pages["/feed"] = page
    with pytest.raises(OutboundError, match=message) as caught:
        read(f"{web.url}/feed", limit=1)
    assert "\n" not in str(caught.value)


def test_a_slow_server_is_given_up(web, monkeypatch):
    monkeypatch.setattr("api.review_queue.feeds.TIMEOUT", 0.3)
    given_up = threading.Event()
    web.pages["/feed"] = lambda handler: given_up.wait(60) and (200, {}, RSS)
    with pytest.raises(OutboundError, match="timed out"):
        read(f"{web.url}/feed", limit=1)
    given_up.set()


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "nonsense", "http://", "https:///path", "http://[::1", "http://a..b/", f"http://{'a' * 64}.org/"],
)
def test_only_web_addresses(url):
    with pytest.raises(OutboundError, match="no http or https address"):
        read(url, limit=1)


def test_a_private_address_is_never_asked(web, settings):
    settings.FEEDS_FROM_PRIVATE_ADDRESSES = False
    web.pages["/feed"] = RSS
    for host in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]"):
        with pytest.raises(OutboundError, match="private address"):
            read(f"http://{host}:{web.url.rsplit(':', 1)[1]}/feed", limit=1)
    with pytest.raises(OutboundError, match="private address"):
        read(f"{web.url}/api/v1/timelines/public", limit=1)
    assert web.asked == []


def test_a_name_that_is_not_known_is_said_so():
    with pytest.raises(OutboundError, match="cannot be found"):
        read("http://nowhere.invalid/feed", limit=1)


ADDRESSES = ["64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::1", "::127.0.0.1", "ff02::1"]
ADDRESSES += ["::ffff:10.0.0.1", "fec0::1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "100.64.0.1", "192.88.99.1", "fe80::1%1"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_leads_inside_is_private(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"])
def test_an_address_of_the_internet_is_public(address):
    assert is_public(address)


def test_a_server_that_trickles_is_cut_off(web, monkeypatch):
    monkeypatch.setattr("api.review_queue.feeds.DEADLINE_SECONDS", 1)
    given_up = threading.Event()

    def trickle(handler):
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            while not given_up.wait(0.05):
                handler.wfile.write(b" ")
        return 200, {}, b""

    web.pages["/feed"] = trickle
    with pytest.raises(OutboundError, match="takes longer than 1 seconds"):
        read(f"{web.url}/feed", limit=1)
    given_up.set()


def test_a_timeline_of_blank_posts_comes_to_an_end(web):
    blank = [{"id": str(number), "content": "<p></p>"} for number in range(40)]
    header = {"Link": f'<{web.url}/api/v1/timelines/public?max_id=1>; rel="next"', "Content-Type": "application/json"}
    web.pages["/api/v1/timelines/public"] = lambda handler: (200, header, json.dumps(blank).encode())
    assert read(f"{web.url}/api/v1/timelines/public", limit=10) == []
    assert len(web.asked) < 5


ODD = [
    b"null",
    b"5",
    b'"x"',
    b'{"a": 1}',
    b"[1, null, [], {}]",
    b'[{"content": 5, "url": []}]',
    b'[{"language": 3, "content": "a"}]',
]


@pytest.mark.parametrize("body", [*ODD, b"[" * 100_000, b"<html>", b"\xff", b'{"version": 5}', b'{"feed": [{"post": 3}]}'])
@pytest.mark.parametrize("path", ["/api/v1/timelines/public", "/feed.json", "/xrpc/app.bsky.feed.getAuthorFeed"])
def test_odd_json_is_no_traceback(web, path, body):
    web.pages[path] = lambda handler: (200, {"Content-Type": "application/json"}, body)
    with contextlib.suppress(OutboundError):
        assert len(read(web.url + path, limit=5)) <= 1


@pytest.mark.parametrize("status", [401, 403, 422])
def test_a_closed_timeline_is_said_in_words(web, status):
    web.pages["/api/v1/timelines/public"] = lambda handler: (status, {"Content-Type": "application/json"}, b"{}")
    with pytest.raises(OutboundError, match="shows it to its members only"):
        read(f"{web.url}/api/v1/timelines/public", limit=5)


def test_a_content_warning_is_part_of_its_post(web):
    post = {"id": "1", "spoiler_text": "Football", "content": "<p>They lost.</p>", "language": "en"}
    web.pages["/api/v1/timelines/public"] = lambda handler: (
        200,
        {"Content-Type": "application/json"},
        json.dumps([post]).encode(),
    )
    assert read(f"{web.url}/api/v1/timelines/public", limit=5) == [FoundPost("Football\nThey lost.", "", "en")]


def test_posts_in_other_languages_are_skipped(web):
    posts = [
        {"id": str(at), "content": f"post {at}", "language": name}
        for at, name in enumerate(["de", "en", None, "en-GB", "EN", "und"])
    ]
    web.pages["/api/v1/timelines/public"] = lambda handler: (
        200,
        {"Content-Type": "application/json"},
        json.dumps(posts).encode(),
    )
    reader = FeedReader(f"{web.url}/api/v1/timelines/public", limit=9)
    assert [post.text for post in reader.read()] == ["post 1", "post 2", "post 3", "post 4", "post 5"]
    assert reader.skipped == {"not English": 1}
    web.pages["/feed"] = RSS.replace(b"<title>News</title>", b"<title>News</title><language>fr-FR</language>")
    assert read(f"{web.url}/feed", limit=9) == []


def test_a_json_feed(web):
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [
            {"id": "1", "url": "https://blog.example/1", "title": "Park", "content_html": "<p>It is <b>open</b>.</p>"},
            {"id": "2", "content_text": "Only text"},
        ],
    }
    web.pages["/feed.json"] = json.dumps(feed).encode()
    assert read(f"{web.url}/feed.json", limit=5) == [
        FoundPost("Park\nIt is open.", "https://blog.example/1"),
        FoundPost("Only text", ""),
    ]


def test_a_bluesky_feed_is_read_page_by_page(web):
    def page(handler):
        first = "cursor" not in parse_qs(urlsplit(handler.path).query)
        name = "one" if first else "two"
        post = {
            "uri": f"at://did:plc:x/app.bsky.feed.post/{name}",
            "author": {"handle": "somebody.example"},
            "record": {"text": f"Post {name}", "langs": ["de", "en"] if first else ["en"]},
        }
        return 200, {}, json.dumps({"feed": [{"post": post}]} | ({"cursor": "next"} if first else {})).encode()

    path = "/xrpc/app.bsky.feed.getAuthorFeed"
    web.pages[path] = page
    assert read(f"{web.url}{path}?actor=somebody.example", limit=5) == [
        FoundPost("Post one", "https://bsky.app/profile/somebody.example/post/one", "en"),
        FoundPost("Post two", "https://bsky.app/profile/somebody.example/post/two", "en"),
    ]
    web.pages[path] = lambda handler: (400, {}, b'{"error": "InvalidRequest", "message": "Profile not found"}')
    with pytest.raises(OutboundError, match="Profile not found"):
        read(f"{web.url}{path}?actor=nobody", limit=5)


def test_the_command(service, web, monkeypatch):
    number = web.url.rsplit(":", 1)[1]
    web.pages["/feed"] = RSS.replace(b"Good news", f"Good news {number}".encode()).replace(b"Only", f"Only {number}".encode())
    refused = service.manage("import_feed", f"{web.url}/feed")
    assert refused.returncode == 1
    assert "FEEDS_FROM_PRIVATE_ADDRESSES=true" in refused.stderr
    assert "Traceback" not in refused.stderr
    monkeypatch.setitem(service.environment, "FEEDS_FROM_PRIVATE_ADDRESSES", "true")
    assert "2 new posts to review, 0 known already" in service.manage("import_feed", f"{web.url}/feed").stdout
    assert "0 new posts to review, 2 known already" in service.manage("import_feed", f"{web.url}/feed").stdout
