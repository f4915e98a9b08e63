"""What every request passes, and what all rooms share."""
