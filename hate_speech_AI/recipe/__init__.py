"""How the constants and weights that ship were made. Never imported by the service."""
