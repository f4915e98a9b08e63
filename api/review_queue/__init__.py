"""Posts out of feeds that wait for a person's decision."""
