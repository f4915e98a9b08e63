"""Model versions, and the trainings that create them."""
