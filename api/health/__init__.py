"""Whether the service is up and ready."""
