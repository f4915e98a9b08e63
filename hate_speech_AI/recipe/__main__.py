"""Make `pretrained/`: from public data and a base model to the encoder and head that the service ships. `make encoder` runs this.

1. Read the data, and fetch the base model.
2. Fine-tune a large encoder, the teacher; a checkpoint after each part of a pass, so that a run that was cut off goes on.
3. Fine-tune the small one on labels and teacher, with checkpoints too.
4. Export it, fit the head on rows that it has not seen, freeze the evaluation set, measure.
5. Write the run log and the model card.
"""

import argparse
import json
import platform
import random
from dataclasses import asdict, fields, replace
from importlib.metadata import version
from pathlib import Path

import torch

from .assemble import assemble
from .base import fetch_base
from .corpus import checksums, describe, read_corpus
from .fine_tune import TEACHER, Settings, fine_tune, teach
from .model_card import render_card

_LIBRARIES = ("emoji", "numpy", "onnx", "onnxruntime", "scikit-learn", "tokenizers", "torch")


def main() -> None:
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
    parser.add_argument("--sample", type=int, help="take so many rows, drawn by lot, to try the recipe out")
    chosen = [field for field in fields(Settings) if field.type in (int, float)]
    for field in chosen:
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=field.type, default=field.default, help="see Settings")
    parser.add_argument(
        "--teacher-parts", type=int, default=TEACHER.parts, help="how many quarters of a pass the teacher learns for"
    )
    arguments = parser.parse_args()
    teacher_settings = replace(TEACHER, parts=arguments.teacher_parts)
    settings = replace(Settings(), **{field.name: getattr(arguments, field.name) for field in chosen})

    arguments.work.mkdir(parents=True, exist_ok=True)
    examples = read_corpus(arguments.data)
    if arguments.sample:
        examples = random.Random(0).sample(examples, arguments.sample)  # noqa: S311
    base, large = (fetch_base(one.base, arguments.work / one.base) for one in (settings, teacher_settings))
    teacher, student = arguments.work / "teacher", arguments.work / "student"
    taught = teach(examples, large, teacher, teacher_settings, settings)
    model = fine_tune(examples, base, student, settings, taught)
    manifest = assemble(model, examples, base, arguments.out, settings)
    log = {
        "teacher": {"settings": asdict(teacher_settings), "parts": _parts(teacher)},
        "settings": asdict(settings),
        "data": checksums(arguments.data),
        "rows": json.loads(describe(examples)),
        "parts": _parts(student),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    (arguments.out / "run_log.json").write_text(json.dumps(log, indent=1) + "\n", "utf-8")
    parameters = sum(parameter.numel() for parameter in model.encoder.parameters())
    size = (arguments.out / "encoder.onnx").stat().st_size
    (arguments.out / "MODEL_CARD.md").write_text(render_card(manifest, parameters, size, log["rows"]), "utf-8")
    print(json.dumps(manifest["figures"], indent=1))


def _parts(work: Path) -> list[dict]:
    """Return the figures after each part of a fine-tuning."""
    return [json.loads(line) for line in (work / "parts.jsonl").read_text("utf-8").splitlines()]


if __name__ == "__main__":
    main()
