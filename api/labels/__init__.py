"""Labels from people: reviews, imports and suggestions."""
