"""Get the files of a dataset, and read from them the labels to import."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rest_framework.exceptions import ValidationError

from hate_speech_AI.text import fingerprint

from ...web.fields import TweetField
from ..files import FileError
from ..recording import LabelledText
from .catalogue import Dataset
from .readers import DatasetRow


def download_files(dataset: Dataset, folder: Path) -> list[Path]:
    """Return the paths of the dataset's files in `folder`; download those that are missing, with a progress bar.

    Raises `FileError` if the server cannot be reached, or a file has another checksum.
    """
    # Not at the top: only this command downloads.
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    paths = []
    for name, sha256 in dataset.files.items():
        url = dataset.url.format(name.replace(" ", "%20"))
        downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=30)
        try:
            paths.append(Path(pooch.retrieve(url, f"sha256:{sha256}", name, folder, downloader=downloader)))
        except requests.RequestException as error:
            raise FileError(
                f"{url} cannot be had ({type(error).__name__}). Download it elsewhere and use --from FILE."
            ) from error
        except ValueError as error:
            raise FileError(f"{url} is not the file that this release knows: its sha256 differs. Nothing was kept.") from error
        except OSError as error:
            raise FileError(f"{folder} cannot be written to: {error.strerror}") from error
    return paths


def find_files(dataset: Dataset, path: Path) -> list[Path]:
    """Return the dataset's files at `path`, which is one file or the folder of all."""
    if not path.exists():
        raise FileError(f"{path} does not exist. Name a file, or the folder of the dataset's files.")
    if path.is_file():
        return [path]
    if missing := [name for name in dataset.files if not (path / name).is_file()]:
        raise FileError(f"{path} does not hold {', '.join(missing)}. If a file has another name, name the file, not its folder.")
    return [path / name for name in dataset.files]


def read_training_rows(dataset: Dataset, paths: list[Path]) -> tuple[list[LabelledText], Counter[str]]:
    """Read a whole dataset, and return the labels to train on, those of each text once, and the counts of rows.

    Texts of the official test split are left out, wherever else they appear. The counts are: the "texts" to train on, and of the
    rows left out "test" rows, rows that leave "open" what they are, "bad" rows (no text, or too long), and "repeated" rows.
    """
    field = TweetField()
    rows: dict[str, DatasetRow] = {}
    test_keys: set[str] = set()
    counts: Counter[str] = Counter()
    for row in (row for path in paths for row in dataset.read(path)):
        try:
            key = fingerprint(field.run_validation(row.text))
        except ValidationError:
            counts["bad"] += 1
            continue
        if row.split == "test":
            counts["test"] += 1
            test_keys.add(key)
        elif not row.labels:
            counts["open"] += 1
        else:
            counts["repeated"] += key in rows
            rows[key] = row
    kept = [row for key, row in rows.items() if key not in test_keys]
    counts["texts"] = len(kept)
    return [label for row in kept for label in _list_labels(row)], counts


def _list_labels(row: DatasetRow) -> Iterator[LabelledText]:
    reference = f"{row.split}:{row.reference}" if row.split else row.reference
    for name, value in row.labels.items():
        yield LabelledText(row.text, value, reference, name)
