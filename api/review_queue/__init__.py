"""Posts from feeds that wait for a person's decision."""
