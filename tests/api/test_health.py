from ..service import wait_until


def test_healthz_says_that_the_process_is_up(service):
    assert service.client.get("/healthz").json() == {"status": "ok"}


def test_readyz_names_each_part(service):
    answer = service.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "broker": "ok", "model": "ok"}


def test_readyz_is_503_without_a_model(new_service):
    fresh = new_service()
    fresh.start("web")
    answer = fresh.client.get("/readyz")
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


def test_a_broken_pointer_is_503_and_the_loaded_version_goes_on(new_service):
    broken = new_service()
    broken.start("web", "worker")
    assert broken.manage("exec_train", "--wait").returncode == 0
    version = broken.wait_for_version()
    (broken.store / "active").write_text("nonsense")
    answer = broken.client.get("/score")
    assert answer.status_code == 503
    assert answer.json()["code"] == "model_unusable"
    assert broken.client.post("/predict", json={"tweet": "a text"}).json()["version"] == version
