from django.core.management.base import BaseCommand, CommandError, CommandParser

from api.management.arguments import whole_number
from api.management.progress import show_progress
from api.review_queue.feeds import FeedReader
from api.review_queue.services import add_posts, order_posts
from api.web.outbound import OutboundError
from api.web.words import count
from hate_speech_AI.errors import HateSpeechError


class Command(BaseCommand):
    help = (
        "Import posts from an RSS, Atom or JSON feed, from a Mastodon server (https://SERVER/api/v1/timelines/public or"
        " .../tag/NAME), or from Bluesky (https://public.api.bsky.app/xrpc/app.bsky.feed.getAuthorFeed?actor=NAME). The active"
        " version scores them, and the admin lists them for review. Posts are skipped that are known, or that their feed calls"
        " other than English."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", metavar="URL")
        parser.add_argument(
            "--limit", type=whole_number(1_000_000), default=200, help="import at most this many posts (default: 200)"
        )

    def handle(self, *, url: str, limit: int, **options: object) -> None:
        try:
            reader = FeedReader(url, limit=limit)
            posts = show_progress(reader.read(), desc="Reading", unit=" posts")
            found = add_posts(posts=posts, feed=url)
            order_posts()
        except (OutboundError, HateSpeechError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count(found['new'], 'new post')} to review, {found['known']:,} known already.")
        if reader.skipped:
            self.stdout.write(f"Skipped: {', '.join(f'{number:,} {why}' for why, number in reader.skipped.items())}.")
