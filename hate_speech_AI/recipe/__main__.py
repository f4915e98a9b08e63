"""Make `pretrained/`, the shipped encoder and head, from public data and a base model. `make encoder` runs this.

1. Read the data and fetch the base models.
2. Fine-tune large encoders, the teachers, but those who have already spoken in the file of soft labels.
   Run one or two rounds. In each, fine-tune the small encoder on the labels and on the teachers' probabilities; the second round
   continues from the first. Export the small encoder, fit the head on rows that the encoder has not seen, write the evaluation
   set and measure.
3. Write the run log and the model card.

Fine-tuning saves a checkpoint after each part of a pass. So an interrupted run resumes.
"""

import argparse
import json
import platform
import random
from collections import Counter
from dataclasses import asdict, fields, replace
from importlib.metadata import version
from pathlib import Path

import torch

from .assemble import assemble
from .base import fetch_base
from .corpus import Example, checksums, describe, read_corpus, read_held_out, separate
from .export import restore
from .fine_tune import fine_tune, read_parts, read_rounds, teach
from .grammar import make_rows
from .model_card import render_card
from .network import Encoder
from .refit import refit
from .settings import TEACHERS, Settings

_LIBRARIES = ("emoji", "numpy", "onnx", "onnxruntime", "scikit-learn", "tokenizers", "torch")


def read_arguments() -> tuple[argparse.Namespace, list[Settings], Settings]:
    """Read the arguments of the command line, and the settings of the teachers and of the encoder in the first round."""
    parser = argparse.ArgumentParser(
        prog="python -m hate_speech_AI.recipe",
        description=__doc__.split("\n\n", maxsplit=1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of the datasets, one folder each")
    parser.add_argument(
        "--work", type=Path, default=Path("var/recipe/work"), help="where checkpoints and the base model are kept"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "pretrained", help="what is written")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--onward", type=Path, help="run one more round, from the encoder in this folder, such as hate_speech_AI/pretrained"
    )
    instead.add_argument("--refit", type=Path, help="fit only the head of toxic again, for the encoder in this folder")
    parser.add_argument("--sample", type=int, help="take so many random rows, to try the recipe out")
    parser.add_argument("--rounds", type=int, choices=(1, 2), default=2, help="how often to fine-tune, without --onward")
    parser.add_argument("--alone", action="store_false", dest="paired", help="see copies of the texts only, in half the time")
    chosen = [field for field in fields(Settings) if field.type in (int, float)]
    for field in chosen:
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", type=field.type, default=field.default, help="see Settings; of the first round"
        )
    parser.add_argument(
        "--soft-labels",
        type=Path,
        default=Path(__file__).parent / "soft_labels.npz",
        help="what teachers have said so far; new ones add to it",
    )
    parser.add_argument(
        "--teachers", type=int, choices=range(len(TEACHERS) + 1), default=len(TEACHERS), help="how many of the teachers to ask"
    )
    parser.add_argument(
        "--teacher-parts", type=int, default=TEACHERS[0].parts, help="how many quarters of a pass a teacher learns for"
    )
    arguments = parser.parse_args()
    settings = replace(Settings(), paired=arguments.paired, **{field.name: getattr(arguments, field.name) for field in chosen})
    teachers = [replace(teacher, parts=arguments.teacher_parts) for teacher in TEACHERS[: arguments.teachers]]
    return arguments, teachers, settings


def main() -> None:
    arguments, teachers, settings = read_arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    dropped: Counter[str] = Counter()
    examples = read_corpus(arguments.data, dropped)
    examples = separate([*examples, *make_rows(examples)], read_held_out(arguments.data), dropped)
    if arguments.sample:
        examples = random.Random(0).sample(examples, arguments.sample)  # noqa: S311
    about = {
        "data": checksums(arguments.data),
        "rows": json.loads(describe(examples)),
        "left_out": dict(sorted(dropped.items())),
    }
    if arguments.refit:
        refit_heads(examples, about, arguments.out, arguments.refit)
    else:
        before = arguments.onward
        if not before:
            before = arguments.work / "round-1" / "made" if arguments.rounds == 2 else arguments.out
            make_round(examples, about, arguments, teachers, settings, before)
        if before != arguments.out:
            later = later_round(settings, 1 + len(read_rounds(before)))
            make_round(examples, about, arguments, teachers, later, arguments.out, before)
    print(json.dumps(json.loads((arguments.out / "manifest.json").read_text("utf-8"))["figures"], indent=1))


def later_round(student: Settings, number: int) -> Settings:
    """Return the settings of a round after the first. It computes in int8 from the start."""
    parts = max(1, student.parts // 4)
    return replace(
        student,
        parts=parts,
        quantised_parts=parts,
        learning_rate=student.learning_rate / 2,
        consistency=student.consistency * 2,
        seed=student.seed + number - 1,
    )


def make_round(
    examples: list[Example],
    about: dict,
    arguments: argparse.Namespace,
    teachers: list[Settings],
    student: Settings,
    out: Path,
    before: Path | None = None,
) -> None:
    """Ask the teachers, fine-tune the small encoder, and write the shipped files to `out`. Files that are there are overwritten.

    If the round was finished before, its checkpoints are used and only the files are written again.

    Parameters
    ----------
    about : dict
        What the run log says of the data. The rounds are added to it.
    before : Path, optional
        The folder of the encoder of the round before, from which this round continues.

    Raises
    ------
    ValueError
        The checkpoints were made with other settings.
    """
    base = fetch_base(student.base, arguments.work / student.base)
    rounds = read_rounds(before) if before else []
    work = arguments.work / f"round-{1 + len(rounds)}"
    taught, spoke = None, []
    if student.guidance or student.likeness:
        taught, spoke = teach(examples, arguments.work, teachers, student, arguments.soft_labels, before)
    model = fine_tune(examples, base, work / "student", student, taught, before)
    manifest = assemble(model, examples, base, out, student)
    rounds.append(
        {
            "teachers": spoke,
            "settings": asdict(student),
            "parts": read_parts(work / "student"),
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads",
        }
    )
    _describe(out, about | {"rounds": rounds}, manifest, model.encoder)


def refit_heads(examples: list[Example], about: dict, out: Path, before: Path) -> None:
    """Fit the heads that reviews teach again, but that of the primary label, and write the shipped files to `out`."""
    said = json.loads((before / "run_log.json").read_text("utf-8"))
    manifest, learned = refit(examples, before, out)
    heads = {"data": about["data"], "rows": learned}
    _describe(out, said | {"heads": heads}, manifest, restore(before / "encoder.onnx", dropout=0.0))


def _describe(out: Path, said: dict, manifest: dict, encoder: Encoder) -> None:
    """Write the run log (what is `said`, and the libraries) and the model card."""
    said |= {"python": platform.python_version(), "libraries": {name: version(name) for name in _LIBRARIES}}
    parameters = sum(parameter.numel() for parameter in encoder.parameters())
    size = (out / "encoder.onnx").stat().st_size
    (out / "MODEL_CARD.md").write_text(render_card(manifest, parameters, size, said), "utf-8")
    (out / "run_log.json").write_text(json.dumps(said, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
