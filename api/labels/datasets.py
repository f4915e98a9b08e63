"""The public datasets that `import_dataset` knows: files, licences, and which labels mean hate."""

import csv
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rest_framework.exceptions import ValidationError

from hate_speech_AI.text import fingerprint

from ..web.fields import TweetField
from .files import FileError, open_decoded
from .recording import LabelledText

_GITHUB = "https://raw.githubusercontent.com"


class DatasetRow(NamedTuple):
    """A row of a dataset; `label` is `None` if its annotators disagree."""

    text: str
    label: bool | None
    split: str
    reference: str


@dataclass(frozen=True)
class Dataset:
    """A dataset.

    Attributes
    ----------
    name, licence, citation, home : str
    hate : str
        Which labels mean hate, in words.
    files : dict
        From the name of each file to its sha256; `None` if this release does not know it. Such a file is not downloaded, because
        it could not be verified.
    url : str
        The address of the files, with "{}" for the name.
    read : callable
        From the path of a file to its rows.
    """

    name: str
    licence: str
    citation: str
    home: str
    hate: str
    files: dict[str, str | None]
    url: str
    read: Callable[[Path], Iterator[DatasetRow]]

    @property
    def can_be_downloaded(self) -> bool:
        return all(self.files.values())


def _read_csv_rows(path: Path, *columns: str) -> Iterator[dict[str, str]]:
    with open_decoded(path) as (file, _):
        reader = csv.DictReader(file)
        if missing := set(columns) - set(reader.fieldnames or ()):
            raise FileError(
                f"{path.name} has no column {', '.join(sorted(missing))}: it is not the file that this release knows."
            )
        for row in reader:
            if any(row[column] is None for column in columns):
                raise FileError(f"{path.name} is cut off in line {reader.line_num}.")
            yield row


def _make_reader(
    text: str, label: str, labels: dict[str, bool], *, split: str = "", reference: str = ""
) -> Callable[[Path], Iterator[DatasetRow]]:
    """Return a function that reads a CSV file with these columns, and refuses labels other than these."""

    def read(path: Path) -> Iterator[DatasetRow]:
        columns = [column for column in (text, label, split, reference) if column]
        for number, row in enumerate(_read_csv_rows(path, *columns)):
            value = row[label].strip()
            if value not in labels:
                raise FileError(f"{path.name} holds the label {ascii(value)[:40]}; known are {', '.join(labels)}.")
            yield DatasetRow(
                row[text], labels[value], row[split] if split else "", row[reference] if reference else f"row {number}"
            )

    return read


# Copies in a common format: text, label (1 is hate), split.
_read_plain = _make_reader("text", "label", {"1": True, "0": False}, split="split", reference="id")


def _read_hatexplain(path: Path) -> Iterator[DatasetRow]:
    if path.suffix == ".csv":
        yield from _read_plain(path)
        return
    if path.name == "post_id_divisions.json":
        return  # read with the other file
    posts, divisions = _read_json(path), _read_json(path.with_name("post_id_divisions.json"))
    try:
        splits = {post: split for split, ids in divisions.items() for post in ids}
        for reference, post in posts.items():
            votes = Counter(annotator["label"] for annotator in post["annotators"]).most_common(2)
            is_tied = len(votes) > 1 and votes[0][1] == votes[1][1]
            text = " ".join(post["post_tokens"])
            yield DatasetRow(text, None if is_tied else votes[0][0] == "hatespeech", splits.get(reference, ""), reference)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise FileError(f"{path.name} is not the file that this release knows: {error!r}") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise FileError(f"{path.name} is not JSON: {error}") from error
    return content


def _read_dynahate(path: Path) -> Iterator[DatasetRow]:
    labels = {"hate": True, "nothate": False, "1": True, "0": False}
    yield from _make_reader("text", "label", labels, split="split")(path)


def _read_stormfront(path: Path) -> Iterator[DatasetRow]:
    if path.name != "annotations_metadata.csv":
        yield from _read_plain(path)
        return
    test = {file.name for file in path.parent.glob("sampled_test/*.txt")}
    for row in _read_csv_rows(path, "file_id", "label"):
        name = f"{row['file_id']}.txt"
        try:
            text = (path.parent / "all_files" / Path(name).name).read_text("utf-8")
        except OSError as error:
            raise FileError(f"{path.parent.name} lacks all_files/{Path(name).name}.") from error
        # Two more labels mark sentences that cannot be judged alone.
        label = {"hate": True, "noHate": False}.get(row["label"])
        yield DatasetRow(text, label, "test" if name in test else "", row["file_id"])


DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="davidson",
            licence="MIT",
            citation="Davidson, Warmsley, Macy and Weber (2017): Automated Hate Speech Detection and the Problem of Offensive"
            " Language. ICWSM.",
            home="https://github.com/t-davidson/hate-speech-and-offensive-language",
            hate="class 0 (hate speech); offensive language is not hate",
            files={"labeled_data.csv": "fcb8bc7c68120ae4af04a5b9acd58585513ede11e1548ebf36a5c2040b6f6281"},
            url=f"{_GITHUB}/t-davidson/hate-speech-and-offensive-language/cb50f7e/data/{{}}",
            read=_make_reader("tweet", "class", {"0": True, "1": False, "2": False}),
        ),
        Dataset(
            name="hatexplain",
            licence="MIT",
            citation="Mathew, Saha, Yimam, Biemann, Goyal and Mukherjee (2021): HateXplain: A Benchmark Dataset for Explainable"
            " Hate Speech Detection. AAAI.",
            home="https://github.com/hate-alert/HateXplain",
            hate="hatespeech, as most of the three annotators say; ties are left out",
            files={"dataset.json": None, "post_id_divisions.json": None},
            url=f"{_GITHUB}/hate-alert/HateXplain/master/Data/{{}}",
            read=_read_hatexplain,
        ),
        Dataset(
            name="dynahate",
            licence="none stated upstream; widely redistributed for research as CC BY 4.0",
            citation="Vidgen, Thrush, Waseem and Kiela (2021): Learning from the Worst: Dynamically Generated Datasets to Improve"
            " Online Hate Detection. ACL.",
            home="https://github.com/bvidgen/Dynamically-Generated-Hate-Speech-Dataset",
            hate="hate",
            files={"Dynamically Generated Hate Dataset v0.2.3.csv": None},
            url=f"{_GITHUB}/bvidgen/Dynamically-Generated-Hate-Speech-Dataset/main/{{}}",
            read=_read_dynahate,
        ),
        Dataset(
            name="hatemoji_build",
            licence="CC BY 4.0",
            citation="Kirk, Vidgen, Rottger, Thrush and Hale (2022): Hatemoji: A Test Suite and Adversarially-Generated Dataset"
            " for Benchmarking and Detecting Emoji-Based Hate. NAACL.",
            home="https://github.com/HannahKirk/Hatemoji",
            hate="label_gold 1",
            files={
                "train.csv": "2255818a5b10153876320068451be582ed876a2eefb22a250bd2f6478d1815e5",
                "validation.csv": "721094d44fceb923a0b3897935126a654bbb1f092b1fed6a74d80e4a845c6f43",
                "test.csv": "4b067b445c6445dbd4036d7c75dde21f72928bfd31db63d1c53d66226c53be99",
            },
            url=f"{_GITHUB}/HannahKirk/Hatemoji/a626f63/HatemojiBuild/{{}}",
            read=_make_reader("text", "label_gold", {"1": True, "0": False}, split="split", reference="entry_id"),
        ),
        Dataset(
            name="edos",
            licence="CC0 1.0",
            citation="Kirk, Yin, Vidgen and Rottger (2023): SemEval-2023 Task 10: Explainable Detection of Online Sexism.",
            home="https://github.com/rewire-online/edos",
            hate="sexist",
            files={"edos_labelled_aggregated.csv": "607bdbb766e1803a28f0eb8fc21c14b6b9dfa20039f726ba6767438584b47f9b"},
            url=f"{_GITHUB}/rewire-online/edos/b1f1fbc/data/{{}}",
            read=_make_reader(
                "text", "label_sexist", {"sexist": True, "not sexist": False}, split="split", reference="rewire_id"
            ),
        ),
        Dataset(
            name="stormfront",
            licence="CC BY-SA 3.0 ES",
            citation="de Gibert, Perez, Garcia-Pablos and Cuadros (2018): Hate Speech Dataset from a White Supremacy Forum."
            " ALW2.",
            home="https://github.com/Vicomtech/hate-speech-dataset",
            hate="hate; sentences that cannot be judged alone are left out",
            files={"annotations_metadata.csv": None},
            url=f"{_GITHUB}/Vicomtech/hate-speech-dataset/b802137/{{}}",
            read=_read_stormfront,
        ),
        Dataset(
            name="twitter_sentiment",
            licence="none stated: use it to measure, and do not distribute what was trained on it",
            citation="Analytics Vidhya (2018): Twitter Sentiment Analysis practice problem.",
            home="https://github.com/prateekjoshi565/twitter_sentiment_analysis",
            hate="label 1 (racist or sexist)",
            files={"train_E6oV3lV.csv": "4f1bfabc2908029734fb2acd34028a8dfd1b92098bddfe60b0f0836c964e26ab"},
            url=f"{_GITHUB}/prateekjoshi565/twitter_sentiment_analysis/master/{{}}",
            read=_make_reader("tweet", "label", {"1": True, "0": False}, reference="id"),
        ),
    )
}


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
        raise FileError(f"{path} does not exist.")
    if path.is_file():
        return [path]
    if missing := [name for name in dataset.files if not (path / name).is_file()]:
        raise FileError(f"{path} does not hold {', '.join(missing)}.")
    return [path / name for name in dataset.files]


def read_training_rows(dataset: Dataset, paths: list[Path]) -> tuple[list[LabelledText], Counter[str]]:
    """Read a whole dataset, and return the rows to train on, one for each text, and the counts of the rows left out.

    Texts of the official test split are left out, wherever else they appear. The counts are: "test" rows, rows whose annotators
    "disagree", "bad" rows (no text, or too long), and "repeated" rows.
    """
    field = TweetField()
    rows: dict[str, LabelledText] = {}
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
        elif row.label is None:
            counts["disagree"] += 1
        else:
            counts["repeated"] += key in rows
            rows[key] = LabelledText(row.text, row.label, f"{row.split}:{row.reference}" if row.split else row.reference)
    return [row for key, row in rows.items() if key not in test_keys], counts
