"""Model versions, and the trainings that make them."""
