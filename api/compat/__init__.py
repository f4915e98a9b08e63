"""Other providers' APIs, so that their clients work here with one URL changed: a file for each, over the same classifier."""
