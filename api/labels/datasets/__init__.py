"""The public datasets that `import_dataset` knows: what they say, where they are, and how their files are read."""

from .catalogue import DATASETS, Dataset
from .loading import download_files, find_files, read_training_rows

__all__ = ["DATASETS", "Dataset", "download_files", "find_files", "read_training_rows"]
