"""The forms of a text: one to identify it, others for the models.

The *fingerprint* tells which texts are the same. It is the key of rows and never changes. The forms that a *model reads*
(`normalise`, `reading_form`, `clean_and_tokenize_string`) may change with every release. `encoder_form` changes with the encoder
only. Everything here takes time linear in the length of the text, since posts are hostile input.
"""

from .linear_form import clean_and_tokenize_string
from .normalisation import fingerprint, normalise

__all__ = ["clean_and_tokenize_string", "fingerprint", "normalise"]
