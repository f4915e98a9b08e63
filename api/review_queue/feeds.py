"""Read posts from feeds: RSS, Atom, JSON Feed, and the public timelines of Mastodon and Bluesky servers."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

import requests
from rest_framework.exceptions import ValidationError

from ..web.fields import TweetField
from ..web.outbound import TIMEOUT, Deadline, OutboundError, open_session
from .found import FoundPost, get_objects, get_text, read_json, strip_markup
from .timelines import is_bluesky, is_mastodon, read_bluesky, read_mastodon

DEADLINE_SECONDS = 900
# Posts looked at for each one that is kept, so that a server of blank posts comes to an end.
_LOOKED_AT = 10
# The primary tags of a language that the detector reads, or that a feed does not tell.
_READ = ("en", "", "und", "mul")


class FeedReader:
    """Reads the posts of one feed, newest first.

    Posts without text, with too long a text, or in a language that the feed calls other than English are skipped.

    Parameters
    ----------
    url : str
        The address of an RSS, Atom or JSON feed; of a Mastodon server's `/api/v1/timelines/public` or `.../tag/NAME`; or of a
        Bluesky server's `/xrpc/app.bsky.feed.getAuthorFeed` and its like.
    limit : int
        The most posts to return.

    Attributes
    ----------
    skipped : Counter of str
        How many posts were skipped as "not English" or "no fit text".

    Raises
    ------
    OutboundError
        The address is no web address. `read` raises it if the feed cannot be fetched in time, or is no feed.
    """

    def __init__(self, url: str, *, limit: int):
        try:
            parts = urlsplit(url)
            is_web_address = parts.scheme in ("http", "https") and bool((parts.hostname or "").encode("idna"))
        except ValueError:  # such as an unclosed bracket, or a host name with two dots
            is_web_address = False
        if not is_web_address:
            raise OutboundError(f"{url!r} is no http or https address.")
        self._url, self._limit = url, limit
        self.skipped: Counter[str] = Counter()

    def read(self) -> Iterator[FoundPost]:
        """Yield the posts."""
        looked_at = islice(self._fetch(), self._limit * _LOOKED_AT)
        field = TweetField()
        return islice(filter(None, (self._check(post, field) for post in looked_at)), self._limit)

    def _fetch(self) -> Iterator[FoundPost]:
        with Deadline(DEADLINE_SECONDS) as deadline:
            try:
                for post in _find_posts(self._url, deadline):
                    deadline.check(self._url)
                    yield post
            except requests.RequestException as error:
                raise OutboundError(f"{self._url} cannot be had: {_find_cause(error)}") from error

    def _check(self, post: FoundPost, field: TweetField) -> FoundPost | None:
        if post.language.lower().replace("_", "-").partition("-")[0] not in _READ:
            self.skipped["not English"] += 1
            return None
        try:
            return post._replace(text=field.run_validation(post.text))
        except ValidationError:
            self.skipped["no fit text"] += 1
            return None


def _find_cause(error: requests.RequestException) -> str:
    # requests and urllib3 wrap each other's errors; the innermost says what happened.
    cause: BaseException = error
    while cause.args and isinstance(cause.args[-1], BaseException):
        cause = cause.args[-1]
    return str(cause) or type(cause).__name__


def _find_posts(url: str, deadline: Deadline) -> Iterator[FoundPost]:
    session = open_session(deadline)
    if is_mastodon(url):
        return read_mastodon(url, session, deadline)
    if is_bluesky(url):
        return read_bluesky(url, session)
    answer = session.get(url, timeout=TIMEOUT)
    answer.raise_for_status()
    if answer.content.lstrip().startswith(b"{"):
        return _read_json_feed(answer)
    return _read_syndication(answer)


def _join(title: str, text: str) -> str:
    # Microblogs repeat the beginning of a post as its title.
    return text if text.startswith(title.rstrip(".… ")) else f"{title}\n{text}".strip()


def _read_syndication(answer: requests.Response) -> Iterator[FoundPost]:
    import feedparser

    # The bytes, not the address: feedparser would fetch it without limits. Sanitising is `strip_markup`'s work.
    feed = feedparser.parse(
        answer.content,
        response_headers={"content-type": answer.headers.get("content-type", "")},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not feed.version:
        raise OutboundError(f"{answer.url} is no RSS, Atom or JSON feed.")
    for entry in feed.entries:
        content = entry.content[0] if entry.get("content") else {"value": entry.get("summary", "")}
        title, text = strip_markup(entry.get("title", "")), strip_markup(content.get("value", ""))
        language = entry.get("language") or content.get("language") or feed.feed.get("language") or ""
        yield FoundPost(_join(title, text), entry.get("link", ""), language)


def _read_json_feed(answer: requests.Response) -> Iterator[FoundPost]:
    """Yield the items of a JSON Feed (jsonfeed.org, version 1.1)."""
    feed = read_json(answer)
    if not str(feed.get("version", "")).startswith("https://jsonfeed.org/version/"):
        raise OutboundError(f"{answer.url} is no RSS, Atom or JSON feed.")
    for item in get_objects(feed, "items"):
        text = get_text(item, "content_text") or strip_markup(get_text(item, "content_html")) or get_text(item, "summary")
        yield FoundPost(
            _join(get_text(item, "title"), text), get_text(item, "url"), get_text(item, "language") or get_text(feed, "language")
        )
