"""The forms of a text: one to identify it, others for the models.

The *fingerprint* tells which texts are the same. It is the key of rows and never changes. Nor does the *likeness*, which tells
which texts read the same to people, but for how markup is undone. The forms that a *model reads* (`normalise`, `reading_form`,
`clean_and_tokenize_string`) may change with every release. `encoder_form` changes with the encoder only. Everything here takes
time linear in the length of the text, since posts are hostile input.
"""

from .likeness import compute_likeness
from .linear_form import clean_and_tokenize_string
from .normalisation import cut_key, fingerprint, normalise

# The number of the forms that models read. Raise it with every change of a form. Then embeddings are computed again, and a
# training makes another version of the same rows. The shipped head has to be fitted again too: see `recipe --refit`.
#
# 1: the forms of the first releases; no manifest names it.
# 2: markup is undone. No text that the shipped head was fitted to has any, so the head is that of reading 1.
# 3: disguised words are restored, and emoji are read as letters. One text in thirty of those that the shipped head was fitted to
#    is read otherwise, and it answers better so: the head is still that of reading 1.
READING = 3

__all__ = ["READING", "clean_and_tokenize_string", "compute_likeness", "cut_key", "fingerprint", "normalise"]
