"""Read posts from feeds: RSS, Atom and the public timelines of Mastodon servers."""

import re
import time
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

import requests
from rest_framework.exceptions import ValidationError

from ..web.fields import TweetField
from ..web.outbound import TIMEOUT, OutboundError, open_session

if TYPE_CHECKING:
    from mastodon import Mastodon

_TIMELINE = re.compile(r"/api/v1/timelines/(?P<kind>public|tag)(?:/(?P<tag>[^/]+))?/?")
_PAGE = 40  # the most that Mastodon returns at once
_LONGEST_WAIT = 300  # seconds, the window of Mastodon's rate limits


class FoundPost(NamedTuple):
    """A text and where it was found."""

    text: str
    link: str


def read_feed(url: str, *, limit: int) -> Iterator[FoundPost]:
    """Yield at most `limit` posts of a feed, newest first; skip posts with no text or too long a text.

    Parameters
    ----------
    url : str
        The address of an RSS or Atom feed, or of a Mastodon server's `/api/v1/timelines/public` or `/api/v1/timelines/tag/...`.

    Raises
    ------
    OutboundError
        The feed cannot be fetched, or the address is not a feed's.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OutboundError(f"{url!r} is no http or https address.")
    timeline = _TIMELINE.fullmatch(parts.path)
    posts = _read_timeline(parts, timeline) if timeline else _read_syndication(url)
    field = TweetField()
    good = _keep_valid(posts, field)
    try:
        yield from islice(good, limit)
    except requests.RequestException as error:
        raise OutboundError(f"{url} cannot be had: {_find_cause(error)}") from error


def _find_cause(error: requests.RequestException) -> str:
    # requests and urllib3 wrap each other's errors; the innermost says what happened.
    cause: BaseException = error
    while cause.args and isinstance(cause.args[-1], BaseException):
        cause = cause.args[-1]
    return str(cause) or type(cause).__name__


def _keep_valid(posts: Iterator[FoundPost], field: TweetField) -> Iterator[FoundPost]:
    for post in posts:
        try:
            yield post._replace(text=field.run_validation(post.text))
        except ValidationError:
            continue


def _strip_markup(markup: str) -> str:
    """Return the text of an HTML fragment, one line for each paragraph."""
    # Not at the top: only import_feed needs it.
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(markup, "html.parser")
    for tag in soup(["script", "style"]):
        tag.decompose()
    for tag in soup(["p", "br", "div", "li"]):
        tag.append("\n")
    lines = (" ".join(line.split()) for line in soup.get_text().splitlines())
    return "\n".join(line for line in lines if line)


def _read_syndication(url: str) -> Iterator[FoundPost]:
    import feedparser

    answer = open_session().get(url, timeout=TIMEOUT)
    answer.raise_for_status()
    # The bytes, not the address: feedparser would fetch it without limits.
    feed = feedparser.parse(answer.content, response_headers={"content-type": answer.headers.get("content-type", "")})
    if not feed.version:
        raise OutboundError(f"{url} is no RSS or Atom feed.")
    for entry in feed.entries:
        body = entry.content[0].value if "content" in entry else entry.get("summary", "")
        title, text = _strip_markup(entry.get("title", "")), _strip_markup(body)
        # Microblogs repeat the beginning of a post as its title.
        is_repeated = text.startswith(title.rstrip(".… "))
        yield FoundPost(text if is_repeated else f"{title}\n{text}".strip(), entry.get("link", ""))


def _read_timeline(parts: SplitResult, timeline: re.Match[str]) -> Iterator[FoundPost]:
    from mastodon import Mastodon, MastodonError, MastodonRatelimitError

    server = Mastodon(
        api_base_url=f"{parts.scheme}://{parts.netloc}",
        session=open_session(),
        request_timeout=TIMEOUT,
        ratelimit_method="wait",
        version_check_mode="none",
    )
    options = {"limit": _PAGE} | {
        name: value == "true" for name, value in parse_qsl(parts.query) if name in ("local", "remote", "only_media")
    }
    try:
        if timeline["kind"] == "tag":
            page = server.timeline_hashtag(timeline["tag"] or "", **options)
        else:
            page = server.timeline_public(**options)
        while page:
            for status in page:
                yield FoundPost(_strip_markup(status["content"]), status.get("url") or "")
            _wait_for_allowance(server)
            page = server.fetch_next(page)
    except MastodonRatelimitError as error:
        raise OutboundError(f"{parts.netloc} allows no more requests now. Try again in some minutes.") from error
    except MastodonError as error:
        raise OutboundError(f"{parts.netloc} refuses this timeline: {error.args[-1]}") from error


def _wait_for_allowance(server: "Mastodon") -> None:
    """Sleep until the server allows more requests, if its headers say that this was the last one for now.

    The library itself waits only after a refusal.
    """
    if server.ratelimit_remaining == 0 and server.ratelimit_reset:
        time.sleep(min(max(server.ratelimit_reset - time.time(), 0), _LONGEST_WAIT))
