"""Everyday posts of our own, plain and in the HTML of the platforms that people run."""

import html
from itertools import cycle, product

_GROUPS = ["women", "immigrants", "people from the north side", "goalkeepers", "my neighbours"]
_ABOUT_PEOPLE = [
    "{group} are too stupid to vote",
    "{group} are vermin",
    "I do not want {group} in our town",
    "{group} are dirty and lazy",
    "{group} brought us a cake today",
    "A choir of {group} sings on Sunday",
    "Send {group} back to where they came from",
    "I love how {group} help each other",
]
_ABOUT_LIFE = [
    "The {thing} was late again and I am so tired of it",
    "Does anybody know when the {thing} opens tomorrow?",
    "I lost my keys near the {thing}, please tell me if you find them",
    "We painted the {thing} blue and it looks lovely",
    "Who left the door of the {thing} open all night!",
    "Nothing beats a walk past the {thing} on a cold morning",
    "The {thing} costs 5 < 6 euros & is worth it",
]
_THINGS = [
    "ferry", "library", "bakery", "bus", "market", "school", "bridge", "garden", "cinema", "station", "harbour", "museum", "pool",
    "park", "post office", "barn", "lighthouse", "kiosk", "workshop", "shed", "tower", "stadium", "chapel", "mill",
]  # fmt: skip
_MENTION = (
    '<span class="h-card" translate="no"><a href="https://town.test/@ann" class="u-url mention">@<span>ann</span></a></span>'
)
_HASHTAG = '<a href="https://town.test/tags/ColdMorning" class="mention hashtag" rel="tag">#<span>ColdMorning</span></a>'
_LINK = (
    '<a href="https://www.town.test/news/today" target="_blank" rel="nofollow noopener noreferrer" translate="no">'
    '<span class="invisible">https://www.</span><span class="ellipsis">town.test/news</span>'
    '<span class="invisible">/today</span></a>'
)


_EMOJI = '<img draggable="false" class="emojione custom-emoji" alt=":cat:" title=":cat:" src="https://town.test/c.png">'
_SMILE = '<img src="/smile.png?v=12" title=":smile:" class="emoji" alt=":smile:" loading="lazy" width="20" height="20">'
_QUOTE = (
    '<aside class="quote no-group" data-username="ann" data-post="3" data-topic="12"><div class="title">'
    '<div class="quote-controls"></div><img alt="" width="24" height="24" src="/a.png" class="avatar"> ann:</div>'
    "<blockquote><p>See you there</p></blockquote></aside>"
)
_HEADING = '<!-- wp:heading {{"level":3}} --><h3 class="wp-block-heading">Hello</h3><!-- /wp:heading -->'
_LIST = "<ul class='wp-block-list'><li>one</li><li>two</li></ul>"
_PICTURE = '<img class="emoji" alt="🙂" src="https://s.test/1f642.svg" />'
# Each platform: a post as one would read it there, the same as its API gives it, and the tags in the middle of a word.
_PLATFORMS = [
    ("{text}", "<p>{text}</p>", None),
    (
        "@ann {text} #ColdMorning https://www.town.test/news/today",
        f"<p>{_MENTION} {{text}} {_HASHTAG} {_LINK}</p>",
        None,
    ),
    (":cat: {text}\nSee you", f"<p>{_EMOJI} {{text}}<br />See you</p>", None),
    ("@ann {text} :smile:", f'<p><a class="mention" href="/u/ann">@ann</a> {{text}} {_SMILE}</p>', "strong"),
    ("ann:\nSee you there\n{text}", f"{_QUOTE}<p>{{text}}</p>", None),
    (
        "Hello\n{text} 🙂\none\ntwo",
        f"{_HEADING}<!-- wp:paragraph --><p>{{text}} {_PICTURE}</p><!-- /wp:paragraph -->{_LIST}",
        "em",
    ),
]


def _write(text: str, plain: str, marked: str, tag: str | None) -> tuple[str, str]:
    """Return a post, plain and in HTML."""
    escaped = html.escape(text, quote=False)
    if tag:
        longest = max(text.split(), key=lambda word: len(word) * word.isalpha())
        escaped = escaped.replace(longest, f"{longest[:2]}<{tag}>{longest[2:4]}</{tag}>{longest[4:]}", 1)
    return plain.format(text=text), marked.format(text=escaped)


def everyday_texts() -> list[tuple[str, str]]:
    """Return 200 posts, each plain and in HTML."""
    people = [template.format(group=group) for template, group in product(_ABOUT_PEOPLE, _GROUPS)]
    life = [template.format(thing=thing) for thing, template in product(_THINGS, _ABOUT_LIFE)]
    texts = [*people, *(f"{text}, that is what I say" for text in people), *life][:200]
    return [_write(text, *platform) for text, platform in zip(texts, cycle(_PLATFORMS), strict=False)]
