"""Read the public timelines of Mastodon and Bluesky servers, page by page."""

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import requests

from ..web.outbound import TIMEOUT, Deadline, OutboundError
from .found import FoundPost, get_object, get_objects, get_text, read_json, strip_markup

if TYPE_CHECKING:
    from mastodon import Mastodon

_MASTODON = re.compile(r"/api/v1/timelines/(?P<kind>public|tag)(?:/(?P<tag>[^/]+))?/?")
_BLUESKY = re.compile(r"/xrpc/app\.bsky\.feed\.(?:getAuthorFeed|getFeed|getListFeed|searchPosts)")
_MASTODON_PAGE = 40  # the most that Mastodon returns at once
_BLUESKY_PAGE = 100
_LONGEST_WAIT = 300  # seconds, the window of Mastodon's rate limits
_CLOSED = (401, 403, 422)


def is_mastodon(url: str) -> bool:
    return bool(_MASTODON.fullmatch(urlsplit(url).path))


def is_bluesky(url: str) -> bool:
    return bool(_BLUESKY.fullmatch(urlsplit(url).path))


def read_mastodon(url: str, session: requests.Session, deadline: Deadline) -> Iterator[FoundPost]:
    """Yield the posts of a Mastodon timeline. A content warning is part of its post.

    Raises
    ------
    OutboundError
        The server does not show the timeline, allows no more requests, or answers something else.
    """
    from mastodon import Mastodon, MastodonError, MastodonRatelimitError

    parts = urlsplit(url)
    server = Mastodon(
        api_base_url=f"{parts.scheme}://{parts.netloc}",
        session=session,
        request_timeout=TIMEOUT,
        ratelimit_method="wait",
        version_check_mode="none",
    )
    options = {"limit": _MASTODON_PAGE} | {
        name: value == "true" for name, value in parse_qsl(parts.query) if name in ("local", "remote", "only_media")
    }
    timeline = _MASTODON.fullmatch(parts.path)
    try:
        if timeline and timeline["kind"] == "tag":
            page = server.timeline_hashtag(timeline["tag"] or "", **options)
        else:
            page = server.timeline_public(**options)
        while page:
            if not isinstance(page, list):
                raise OutboundError(f"{parts.netloc} answers with no timeline.")
            yield from map(_read_status, page)
            _wait_for_allowance(server, deadline)
            page = server.fetch_next(page)
    except MastodonRatelimitError as error:
        raise OutboundError(f"{parts.netloc} allows no more requests now. Try again in some minutes.") from error
    except MastodonError as error:
        raise OutboundError(f"{parts.netloc} refuses this timeline: {_describe(error)}") from error


def _read_status(status: object) -> FoundPost:
    # The library hands on whatever the server's JSON holds.
    fields = status if isinstance(status, dict) else {}
    text = strip_markup(get_text(fields, "content"))
    return FoundPost(
        "\n".join(filter(None, [get_text(fields, "spoiler_text"), text])), get_text(fields, "url"), get_text(fields, "language")
    )


def _describe(error: Exception) -> str:
    """Return why a server refuses, from the library's error: its words, status, the status' name, and the server's words."""
    if len(error.args) > 1 and error.args[1] in _CLOSED:
        return "it shows it to its members only."
    return " ".join(str(part) for part in error.args if part)[:200]


def _wait_for_allowance(server: "Mastodon", deadline: Deadline) -> None:
    """Sleep until the server allows more requests, if its headers say that this was the last one for now.

    The library itself waits only after a refusal.
    """
    if server.ratelimit_remaining == 0 and server.ratelimit_reset:
        time.sleep(min(max(server.ratelimit_reset - time.time(), 0), _LONGEST_WAIT, deadline.left()))


def read_bluesky(url: str, session: requests.Session) -> Iterator[FoundPost]:
    """Yield the posts of a Bluesky feed, author or search. A post in several languages is in the first of them.

    Raises
    ------
    OutboundError
        The server answers no JSON object.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query)) | {"limit": str(_BLUESKY_PAGE)}
    cursor = ""
    while True:
        answer = session.get(
            parts._replace(query="").geturl(), params=options | ({"cursor": cursor} if cursor else {}), timeout=TIMEOUT
        )
        if not answer.ok:
            raise OutboundError(f"{parts.netloc} refuses this feed: {get_text(read_json(answer), 'message') or answer.reason}")
        page = read_json(answer)
        # A feed's items hold their posts; a search finds posts.
        posts = [get_object(item, "post") for item in get_objects(page, "feed")] or get_objects(page, "posts")
        yield from map(_read_bluesky_post, posts)
        before, cursor = cursor, get_text(page, "cursor")
        if not posts or not cursor or cursor == before:
            return


def _read_bluesky_post(post: dict[str, object]) -> FoundPost:
    record = get_object(post, "record")
    spoken = record.get("langs")
    languages = [one for one in spoken if isinstance(one, str)] if isinstance(spoken, list) else []
    handle, _, name = get_text(get_object(post, "author"), "handle"), *get_text(post, "uri").rpartition("/")[1:]
    link = f"https://bsky.app/profile/{handle}/post/{name}" if handle and name else ""
    return FoundPost(
        get_text(record, "text"), link, "en" if any(one.startswith("en") for one in languages) else next(iter(languages), "")
    )
