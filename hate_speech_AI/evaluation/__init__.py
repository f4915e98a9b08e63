"""How good a version is: figures, thresholds, the gate and the report."""
