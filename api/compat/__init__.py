"""Other providers' APIs: their clients work here with one URL changed."""
