import pytest


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
