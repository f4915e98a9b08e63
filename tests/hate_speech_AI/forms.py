"""The encoder's form of a text, as the tests look at it."""

from hate_speech_AI.text.encoder_form import encoder_form


def read(text: str) -> str:
    return " ".join(encoder_form(text).text.split())


def origin(text: str, part: str) -> str:
    """Return what `part` of the form of `text` was made of."""
    form = encoder_form(text)
    start = form.text.index(part)
    begin, end = form.span(start, start + len(part))
    return text[begin:end]
