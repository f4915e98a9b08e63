from django.core.management.base import BaseCommand, CommandError, CommandParser

from api.management.progress import show_progress
from api.review_queue.feeds import read_feed
from api.review_queue.services import add_posts
from api.web.outbound import OutboundError
from hate_speech_AI.errors import HateSpeechError


class Command(BaseCommand):
    help = (
        "Import posts from an RSS or Atom feed, or from a Mastodon server's public API (https://SERVER/api/v1/timelines/public or"
        " .../tag/NAME). The active version scores them, and the admin lists them for review. Known posts are skipped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", metavar="URL")
        parser.add_argument("--limit", type=int, default=200, help="read at most this many posts (default: 200)")

    def handle(self, *, url: str, limit: int, **options: object) -> None:
        posts = show_progress(read_feed(url, limit=limit), desc="Reading", unit=" posts")
        try:
            found = add_posts(posts=posts, feed=url)
        except (OutboundError, HateSpeechError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{found['new']:,} new posts to review, {found['known']:,} known already.")
