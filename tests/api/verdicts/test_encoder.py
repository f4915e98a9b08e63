"""The service with its default engine: it answers at once, learns what people review, and says why it decides."""

import uuid
from pathlib import Path

import pytest
import yaml

from hate_speech_AI.engines.encoder.shipped import Shipped
from hate_speech_AI.labels import IMPLIES

from ...service import wait_until

HATEFUL = "All women are worthless and disgusting."


@pytest.fixture
def encoder(encoder_service):
    return encoder_service


def test_it_works(encoder):
    verdict = encoder.client.post("/predict", json={"tweet": HATEFUL}).json()
    fields = {"is_hate_speech", "probability", "threshold", "version", "labels", "uncertainty"}
    assert set(verdict) == fields | ({"targets"} if Shipped().others().targets else set())
    assert verdict["is_hate_speech"]
    assert verdict["labels"]["hate"] == verdict["probability"]
    assert all(verdict["labels"][implied] >= verdict["labels"]["hate"] for implied in IMPLIES["hate"])
    assert verdict["version"] == encoder.active_version()


def test_it_answers_before_any_training_and_there_is_nothing_to_train_at_first(new_service):
    service = new_service(HATE_SPEECH_ENGINE="encoder")
    service.migrate()
    began = service.manage("exec_train")  # no worker runs
    assert began.returncode == 0, began.stderr
    service.start("web")
    assert service.client.post("/predict", json={"tweet": HATEFUL}).json()["is_hate_speech"]
    score = service.client.get("/score").json()
    assert score["of"] == "shipped"
    assert score["slices"]["shipped"]["f1"] == score["score"]
    assert score["held_out"] == score["slices"]["held_out"]["n"] == 0
    shipped = service.versions()
    service.start("worker")
    assert service.train()["outcome"] == "unchanged"
    assert service.versions() == shipped


@pytest.mark.parametrize("text", [HATEFUL, "  Good morning 👩🏿‍🌾, naïve שלום  ", "f o g g y &amp; c0ld"])
def test_an_explanation_sums_to_the_logit(encoder, text):
    verdict = encoder.client.post("/predict", json={"tweet": text, "explain": True}).json()
    explanation = verdict["explanation"]
    total = explanation["bias"] + sum(word["contribution"] for word in explanation["words"])
    assert total == pytest.approx(explanation["logit"], abs=1e-9)
    assert explanation["words"]
    for word in explanation["words"]:
        assert text[word["start"] : word["end"]] == word["word"]
    assert "source" not in explanation


def test_several_texts_are_explained_in_order(encoder):
    answer = encoder.client.post("/predict", json={"tweets": ["fog", "rain"], "explain": True})
    assert [[word["word"] for word in one["explanation"]["words"]] for one in answer.json()["results"]] == [["fog"], ["rain"]]


def test_an_explanation_that_is_not_asked_for_is_not_given(encoder):
    for asked in ({"tweet": "fog"}, {"tweet": "fog", "explain": False}):
        assert "explanation" not in encoder.client.post("/predict", json=asked).json()
    assert encoder.client.post("/predict", json={"tweet": "fog", "explain": "perhaps"}).status_code == 400


@pytest.mark.embedded
def test_the_linear_engine_explains_nothing(service):
    answer = service.client.post("/predict", json={"tweet": "fog", "explain": True})
    assert answer.status_code == 400
    assert "HATE_SPEECH_ENGINE=encoder" in answer.json()["errors"]["explain"][0]


def test_a_review_is_learned_and_explained_as_the_models(encoder):
    text = f"Dandelions are everywhere again, {uuid.uuid4()}"
    before = encoder.client.post("/predict", json={"tweet": text}).json()
    encoder.review(text, not before["is_hate_speech"])
    encoder.train_a_new_version()
    verdict = encoder.client.post("/predict", json={"tweet": text, "explain": True}).json()
    assert verdict["source"] == "review"
    assert verdict["is_hate_speech"] is not before["is_hate_speech"]
    assert verdict["labels"]["hate"] == verdict["probability"] in (0.0, 1.0)
    assert all(verdict["labels"][implied] >= verdict["labels"]["hate"] for implied in IMPLIES["hate"])
    assert verdict["uncertainty"] == 0
    assert verdict["explanation"]["source"] == "model"


def test_each_engine_has_its_own_active_version(encoder, tmp_path):
    active = encoder.active_version()
    with encoder.beside(tmp_path, HATE_SPEECH_ENGINE="linear") as linear:
        linear.start("web")
        assert linear.client.post("/predict", json={"tweet": "fog"}).json()["code"] == "model_missing"
    assert encoder.active_version() == active
    assert encoder.client.post("/predict", json={"tweet": "fog"}).json()["version"] == active


def test_the_report_shows_the_shipped_evaluation_set(encoder):
    page = encoder.client.get(f"/models/{encoder.versions()[0]}/report")
    assert page.status_code == 200
    assert "texts of the shipped evaluation set" in page.text
    assert "hatemoji_build" in page.text


def test_an_import_says_what_the_encoder_has_learned_from(new_service, datasets_folder):
    service = new_service(HATE_SPEECH_ENGINE="encoder")
    service.migrate()
    done = service.manage("import_dataset", "hatemoji_build", "--from", str(datasets_folder / "hatemoji_build"), "--yes")
    assert done.returncode == 0, done.stderr
    assert "the shipped encoder has learned from" in done.stdout


def test_a_wrong_engine_stops_the_start(new_service):
    service = new_service(HATE_SPEECH_ENGINE="magic")
    done = service.manage("check")
    assert done.returncode != 0
    assert "HATE_SPEECH_ENGINE is not valid. It takes encoder or linear." in done.stderr


def test_a_missing_weights_file_is_said_in_one_line(new_service, tmp_path, monkeypatch):
    # The installed files are not touched: the process is told another folder before it looks.
    service = new_service(HATE_SPEECH_ENGINE="encoder")
    service.migrate()
    code = (
        "from pathlib import Path; import hate_speech_AI.engines.encoder.shipped as shipped;"
        "shipped.Shipped.__init__.__defaults__ = (Path('/nowhere'),);"
        "from django.core.management import call_command; call_command('exec_train')"
    )
    done = service.manage("shell", "--no-imports", "-c", code)
    assert done.returncode != 0
    assert "Install this release again" in done.stderr.strip().splitlines()[-1]


def loaded_libraries(encoder, name: str) -> str:
    """Return the names of the files that the processes of a part have mapped."""
    group = encoder.processes[name].pid
    of_group = [
        path.parent for path in Path("/proc").glob("[0-9]*/stat") if path.read_text().rsplit(")", 1)[1].split()[2] == str(group)
    ]
    return "".join((process / "maps").read_text() for process in of_group)


def test_web_loads_the_encoder_and_none_of_the_libraries_of_training(encoder):
    assert encoder.client.post("/predict", json={"tweet": "fog", "explain": True}).status_code == 200
    loaded = loaded_libraries(encoder, "web")
    assert "onnxruntime" in loaded
    for library in ("sklearn", "scipy", "pandas", "matplotlib", "torch"):
        assert f"/{library}/" not in loaded, library


def test_beat_loads_no_model(encoder):
    encoder.start("beat")
    try:
        wait_until(lambda: "beat: Starting" in encoder.log("beat"), what="beat")
        loaded = loaded_libraries(encoder, "beat")
    finally:
        encoder.terminate("beat")
    assert "python" in loaded
    for library in ("onnxruntime", "sklearn", "tokenizers"):
        assert f"/{library}/" not in loaded, library


def test_the_schema_describes_what_is_answered(encoder):
    schema = yaml.safe_load(encoder.client.get("/schema").text)
    prediction = schema["components"]["schemas"]["Prediction"]["properties"]
    assert {"labels", "uncertainty", "explanation"} <= set(prediction)
