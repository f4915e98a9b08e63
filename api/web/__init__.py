"""What every request passes through, and what all rooms share."""
