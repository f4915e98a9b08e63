"""Text in, verdict out: the classifier package that the web processes and the Celery workers share. Knows no Django."""
