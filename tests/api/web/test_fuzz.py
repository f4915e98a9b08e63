"""Whatever comes over the wire: no answer is a 5xx, nothing of it is logged, and the service goes on."""

import shutil

import pytest

from ...conftest import new_database
from ...fuzz import SECRET, fuzz
from ...service import Service, wait_until

CLOSED = {"HATE_SPEECH_OPEN_ACCESS": "false", "RATE_LIMIT": "0"}


def run(service: Service, trained_store, count: int, seed: int) -> None:
    """Send a service so many requests, half of them with a key."""
    shutil.copytree(trained_store.root, service.store)
    service.start("web")
    wait_until(lambda: service.client.get("/readyz?for=serving").status_code == 200)
    key = service.manage("api_keys", "create", "fuzz", "--scopes", "predict,review,admin").stdout.strip()
    assert key.startswith("hs_")
    findings = fuzz(service.port, count, seed, key)
    print(findings.statuses)
    assert not findings.faults, findings.faults[:3]
    # It is no fuzz of one refusal: right requests, and each kind of wrong ones, are among them.
    assert {200, 400, 401, 404, 405, 413, 415} <= {*findings.statuses}
    assert service.client.get("/healthz").status_code == 200
    log = service.log("web")
    for unseen in ("Traceback", SECRET, key, "a quiet walk"):
        assert unseen not in log


def test_a_few_hundred_requests(new_service, trained_store):
    run(new_service(**CLOSED), trained_store, 500, seed=1)


@pytest.mark.slow
def test_thousands_of_requests(new_service, trained_store):
    run(new_service(**CLOSED), trained_store, 10_000, seed=2)


@pytest.mark.slow
def test_thousands_of_requests_on_postgresql_and_redis(new_service, trained_store, redis_environment):
    with new_database() as url:
        service = new_service(**CLOSED, **redis_environment, DATABASE_URL=url)
        run(service, trained_store, 10_000, seed=3)
        service.stop()
        Service.wait_for_ends()
