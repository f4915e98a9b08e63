"""What people say of texts: reviews, imports and suggestions."""
