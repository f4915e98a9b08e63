"""What is done to a text before anything learns from it or judges it.

Two forms are kept apart on purpose. The *fingerprint* says which texts are the same text; it keys rows and never changes.
What the *model reads* (`normalise`, `reading_form`, `clean_and_tokenize_string`, `encoder_form`) may improve with every release;
what the encoder reads, with every encoder. Everything here takes time linear in the text's length: a post is hostile input.
"""

from .linear_form import clean_and_tokenize_string
from .normalisation import fingerprint, normalise

__all__ = ["clean_and_tokenize_string", "fingerprint", "normalise"]
