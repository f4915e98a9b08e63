"""The product: HTTP, database, pages."""
