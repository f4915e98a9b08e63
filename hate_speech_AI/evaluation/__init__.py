"""How good a version is: figures, bootstrap intervals, thresholds, the gate and the report."""
