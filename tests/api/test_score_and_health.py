import shutil

import pytest

from ..service import wait_until


def test_the_score_is_that_of_the_active_version(service):
    score = service.client.get("/score").json()
    assert set(score) == {
        "score", "of", "slices", "precision", "recall", "roc_auc", "held_out", "trained_on", "trained_at", "version", "pinned",
    }  # fmt: skip
    assert score["version"] == service.active_version()
    assert score["held_out"] + score["trained_on"] >= 400


def test_the_score_is_in_the_cache_as_json(redis_environment, service):
    import redis

    if "REDIS_URL" not in service.environment:
        pytest.skip("this service runs without Redis")
    service.client.get("/score")
    with redis.Redis.from_url(redis_environment["REDIS_URL"]) as client:
        keys = [key for key in client.scan_iter(f"{redis_environment['REDIS_KEY_PREFIX']}*") if b"score:" in key]
        assert keys
        for key in keys:
            assert client.get(key).startswith(b'{"score"')


def test_healthz_says_that_the_process_is_up(service):
    assert service.client.get("/healthz").json() == {"status": "ok"}


def test_readyz_names_each_part(service):
    answer = service.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "broker": "ok", "model": "ok"}


def test_readyz_is_503_without_a_model(untrained_service):
    answer = untrained_service.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": "ok", "broker": "ok", "model": "missing"}


def test_readyz_is_503_without_a_database(new_service):
    lost = new_service(DATABASE_URL="postgres://nobody@127.0.0.1:9/nothing?connect_timeout=1")
    lost._is_migrated = True
    lost.start("web")
    answer = wait_until(lambda: lost.client.get("/readyz"))
    assert answer.status_code == 503
    assert answer.json()["database"] == "not reachable"
    answer = lost.client.post("/reviewed", json={"tweet": "a text", "is_hate_speech": True})
    assert answer.status_code == 503
    assert answer.json()["code"] == "database_unavailable"


def test_a_broken_pointer_is_503_and_the_loaded_version_goes_on(new_service, trained_store):
    broken = new_service()
    shutil.copytree(trained_store.root, broken.store)
    broken.start("web")
    version = broken.wait_for_version()
    (broken.store / "active").write_text("nonsense")
    answer = broken.client.get("/score")
    assert answer.status_code == 503
    assert answer.json()["code"] == "model_unusable"
    assert broken.client.post("/predict", json={"tweet": "a text"}).json()["version"] == version
