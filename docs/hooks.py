"""What MkDocs does here beyond its own: take in pages that lie beside the code, and refuse what would load from another host."""

import re
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
# Pages link to these as files of the repository, so that the links work on a code host too.
OUTSIDE = {
    "hate_speech_AI/pretrained/MODEL_CARD.md": "model_card.md",
    "hate_speech_AI/data/README.md": "functional_checks.md",
    "CHANGELOG.md": "changelog.md",
}
_LOADED = re.compile(r"<(?:script|link|img|iframe|source|use)\b[^>]*?\b(?:src|href|srcset)=[\"']?((?:https?:)?//[^\"'\s>]+)")


def on_files(files, config):
    """Add the pages that lie outside docs/."""
    for path, name in OUTSIDE.items():
        files.append(File.generated(config, name, content=(ROOT / path).read_text("utf-8")))
    return files


def on_page_markdown(markdown, page, **_):
    """Turn links to those pages into links inside the site."""
    for path, name in OUTSIDE.items():
        markdown = markdown.replace(f"](../{path}", f"]({name}")
    return markdown


def on_post_page(output, page, **_):
    """Stop the build if a page would load something from another host."""
    if foreign := _LOADED.findall(output):
        raise PluginError(f"{page.file.src_path} loads from another host: {', '.join(foreign)}")
    return output
