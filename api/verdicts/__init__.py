"""What the service says of a text."""
