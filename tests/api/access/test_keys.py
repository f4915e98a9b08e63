"""API keys: who may do what, how often, and what an untrusted one's labels do."""

import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from api.access import callers
from api.access.models import ApiKey, AuditEntry
from api.access.selectors import list_keys
from api.access.services import create_key, hash_key, revoke_keys
from api.labels.models import Label, Suggestion
from api.labels.selectors import list_waiting_suggestions
from api.labels.services import add_review

HEADERS = {
    "bearer": lambda key: {"Authorization": f"Bearer {key}"},
    "x-api-key": lambda key: {"X-Api-Key": key},
    "x-goog-api-key": lambda key: {"X-Goog-Api-Key": key},
}
ANALYZE = {"comment": {"text": "Good morning"}, "requestedAttributes": {"IDENTITY_ATTACK": {}}}


def bearer(key: str) -> dict:
    return HEADERS["bearer"](key)


@pytest.fixture(scope="module")
def closed(service, tmp_path_factory):
    """Give the shared service's web again, as on a server: without open access."""
    with service.beside(tmp_path_factory.mktemp("closed"), HATE_SPEECH_OPEN_ACCESS="false") as web:
        web.start("web")
        yield web


@pytest.fixture(scope="module")
def keys(closed):
    """Give a key for each scope, and one that is trusted."""
    made = {}
    for name, *options in (
        ("predict",),
        ("review", "--scopes", "review"),
        ("trusted", "--scopes", "review,predict", "--trusted"),
        ("admin", "--scopes", "admin"),
    ):
        done = closed.manage("api_keys", "create", name, *options)
        assert done.returncode == 0, done.stderr
        made[name] = done.stdout.strip()
    return made


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_key_opens_in_every_header(closed, keys, header):
    answer = closed.client.post("/predict", json={"tweet": "Good morning"}, headers=header(keys["predict"]))
    assert answer.status_code == 200
    assert answer.headers["X-RateLimit-Limit"] == "600"
    wrong = closed.client.post("/predict", json={"tweet": "Good morning"}, headers=header("hs_wrong"))
    assert wrong.status_code == 401
    assert wrong.json()["code"] == "invalid_api_key"


def test_perspectives_parameter_opens_too(closed, keys):
    assert closed.client.post(f"/v1alpha1/comments:analyze?key={keys['predict']}", json=ANALYZE).status_code == 200
    assert closed.client.post(f"/predict?key={keys['predict']}", json={"tweet": "a"}).status_code == 401


def test_without_a_key_it_is_401_in_each_dialects_shape(closed):
    plain = closed.client.post("/predict", json={"tweet": "a"})
    assert plain.status_code == 401
    assert plain.headers["WWW-Authenticate"] == "Bearer"
    assert plain.json()["code"] == "api_key_missing"
    openai = closed.client.post("/v1/moderations", json={"input": "a"}, headers=bearer("hs_wrong"))
    assert openai.status_code == 401
    assert openai.json()["error"]["code"] == "invalid_api_key"
    for path in ("/v1alpha1/comments:analyze", "/v1alpha1/comments:analyze?key=wrong"):
        google = closed.client.post(path, json=ANALYZE)
        assert google.status_code == google.json()["error"]["code"] == 400
        assert google.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_health_and_schema_need_no_key(closed):
    for path in ("/docs", "/schema"):
        assert closed.client.get(path).status_code == 200, path
    for path in ("/healthz", "/readyz", "/", "/$discovery/rest?version=v1alpha1"):
        assert closed.client.get(path, headers=bearer("hs_wrong")).status_code == 200, path


@pytest.mark.parametrize(
    ("method", "path", "body", "scope"),
    [
        ("POST", "/predict", {"tweet": "a"}, "predict"),
        ("GET", "/score", None, "predict"),
        ("GET", "/score/history", None, "predict"),
        ("GET", "/models", None, "predict"),
        ("POST", "/v1/moderations", {"input": "a"}, "predict"),
        ("POST", "/reviewed", {"tweet": "rain over the harbour", "is_hate_speech": False}, "review"),
        ("GET", "/train/1", None, "admin"),
    ],
)
def test_each_path_needs_its_scope(closed, keys, method, path, body, scope):
    for name in ("predict", "review", "admin"):
        answer = closed.client.request(method, path, json=body, headers=bearer(keys[name]))
        assert answer.status_code == (200 if name == scope else 403), (name, answer.text)
        if name != scope:
            assert "scope" in answer.text


def test_only_admin_changes_versions(closed, keys):
    active = closed.client.get("/score", headers=bearer(keys["predict"])).json()["version"]
    for path in (f"/models/{active}/activate", "/train"):
        assert closed.client.post(path, headers=bearer(keys["trusted"])).status_code == 403
    assert closed.client.get(f"/models/{active}/report", headers=bearer(keys["trusted"])).status_code == 403
    assert closed.client.get(f"/models/{active}/report", headers=bearer(keys["admin"])).status_code == 200
    assert closed.client.post(f"/models/{active}/activate", headers=bearer(keys["admin"])).status_code == 200


@pytest.mark.embedded
def test_under_open_access_a_wrong_key_changes_nothing(service):
    for headers in ({}, bearer("hs_wrong")):
        answer = service.client.post("/predict", json={"tweet": "Good morning"}, headers=headers)
        assert answer.status_code == 200
        assert "X-RateLimit-Limit" not in answer.headers


@pytest.fixture
def slow(closed) -> str:
    """Give a key that no other test has used, of 20 requests a minute."""
    made = closed.manage("api_keys", "create", f"slow {uuid.uuid4()}", "--rate", "20")
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def test_no_more_than_the_rate_gets_through(closed, slow):
    def ask(_):
        return closed.client.post("/predict", json={"tweet": "Good morning"}, headers=bearer(slow))

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, range(64)))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 429}
    # With Redis all processes count together; without it each of the two allows its half.
    # A minute that ends meanwhile may let one more through in each.
    assert statuses[200] == 20 if "REDIS_URL" in closed.environment else 10 <= statuses[200] <= 22
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.json()["code"] == "throttled"


def test_a_throttled_dialect_keeps_its_shape(closed, slow):
    for _ in range(40):
        openai = closed.client.post("/v1/moderations", json={"input": "a"}, headers=bearer(slow))
        google = closed.client.post("/v1alpha1/comments:analyze", json=ANALYZE, headers=bearer(slow))
        if openai.status_code == google.status_code == 429:
            break
    assert openai.json()["error"]["type"] == "rate_limit_error"
    assert google.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert google.json()["error"]["details"][0]["reason"] == "RATE_LIMIT_EXCEEDED"
    assert "Retry-After" in google.headers


@pytest.fixture(scope="module")
def strict(service, keys, tmp_path_factory):
    """Give the shared service's web behind a proxy, with 20 requests a minute."""
    prefix = service.environment.get("REDIS_KEY_PREFIX", "") + "strict:"  # counts of its own
    settings = {"HATE_SPEECH_OPEN_ACCESS": "false", "RATE_LIMIT": "20", "PROXIES": "1", "REDIS_KEY_PREFIX": prefix}
    with service.beside(tmp_path_factory.mktemp("strict"), **settings) as web:
        web.start("web")
        yield web


def ask_from(client, address: str, headers: dict):
    return client.post("/predict", json={"tweet": "Good morning"}, headers={"X-Forwarded-For": address} | headers)


WRONG = {
    "wrong": lambda keys, number: bearer(f"hs_wrong{number}"),
    "the same again": lambda keys, number: HEADERS["x-api-key"]("hs_wrong"),
    "none": lambda keys, number: {},
    "without the scope": lambda keys, number: bearer(keys["review"]),
}
# From one client, each as a proxy may write it; for each kind of failure another client.
ADDRESSES = [
    lambda number: f"203.0.113.7:{50_000 + number}",
    lambda number: f"[2001:db8:1::{number:x}]:443",
    lambda number: f"2001:db8:2:0:{number:x}::1",
    lambda number: "::ffff:203.0.113.8" if number % 2 else "203.0.113.8",
]


@pytest.mark.parametrize(("failure", "address"), [*zip(WRONG.values(), ADDRESSES, strict=True)], ids=WRONG)
def test_failures_are_throttled(strict, keys, failure, address):
    answers = [ask_from(strict.client, address(number), failure(keys, number)) for number in range(60)]
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) in ({401, 429}, {403, 429})
    assert statuses[401] + statuses[403] <= 22
    assert answers[-1].json()["code"] == "throttled"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_wrong_keys_at_once_are_not_all_looked_up(strict):
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda number: ask_from(strict.client, "198.51.100.1", bearer(f"hs_{number}")), range(100)))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {401, 429}
    assert statuses[401] <= 22


def test_a_known_key_works_beside_wrong_ones_of_its_network(strict, keys):
    with httpx.Client(base_url=strict.url, timeout=30) as client:  # one connection, to one process
        assert ask_from(client, "198.51.100.2", bearer(keys["predict"])).status_code == 200
        for number in range(60):
            wrong = ask_from(client, "198.51.100.3", bearer(f"hs_wrong{number}"))
        assert wrong.status_code == 429
        assert ask_from(client, "198.51.100.3", bearer(keys["predict"])).status_code == 200
        assert ask_from(client, "198.51.100.4", bearer("hs_wrong")).status_code == 401


def test_an_untrusted_keys_labels_wait(closed, keys):
    text = "a heron on the weir"
    for said in (True, False):  # what it says last is what it says
        answer = closed.client.post("/reviewed", json={"tweet": text, "is_hate_speech": said}, headers=bearer(keys["review"]))
        assert answer.json() == {"detail": "Kept for a moderator to accept"}
    code = (
        "from api.labels.selectors import list_waiting_suggestions; from api.labels.models import Label;"
        f"print([(s.value, s.key) for s in list_waiting_suggestions() if s.tweet.text == {text!r}],"
        f"Label.objects.filter(tweet__text={text!r}).count())"
    )
    assert closed.query(code) == "[(False, 'review')] 0"


def test_a_trusted_keys_labels_count_and_name_it(closed, keys):
    text = "a kingfisher on the weir"
    answer = closed.client.post("/reviewed", json={"tweet": text, "is_hate_speech": False}, headers=bearer(keys["trusted"]))
    assert answer.json() == {"detail": "Tweet added to the database correctly"}
    code = f"from api.labels.models import Label; print(*Label.objects.filter(tweet__text={text!r}).values_list('source', 'key'))"
    assert closed.query(code) == "('review', 'trusted')"


def test_the_command_lists_and_revokes(closed, keys):
    made = closed.manage("api_keys", "create", "short-lived", "--days", "1")
    assert made.returncode == 0
    again = closed.manage("api_keys", "create", "short-lived")
    assert again.returncode != 0
    assert "There is a key of the name short-lived" in again.stderr
    assert "short-lived  predict  not trusted  default rate  valid  used never" in closed.manage("api_keys", "list").stdout
    assert closed.manage("api_keys", "revoke", "short-lived").returncode == 0
    assert closed.manage("api_keys", "revoke", "short-lived").returncode != 0
    assert closed.client.get("/score", headers=bearer(made.stdout.strip())).status_code == 401
    assert "no scope write" in closed.manage("api_keys", "create", "other", "--scopes", "write").stderr
    for secret in (made.stdout.strip(), keys["predict"]):
        assert secret not in closed.log("web")


# --- on the test database ---


@pytest.fixture
def key(db, monkeypatch):
    callers._entries.clear()
    monkeypatch.setattr(callers, "_try_again_at", 0.0)
    return create_key(name="forum", scopes=["predict"], who="a test")


def test_the_key_itself_is_kept_nowhere(key):
    assert len(key) >= 43
    [row] = ApiKey.objects.values()
    assert key not in str(row)
    assert key not in str(AuditEntry.objects.values())
    assert row["digest"] == hash_key(key)


def test_a_known_keys_requests_read_and_write_nothing(key, django_assert_num_queries):
    with django_assert_num_queries(1):
        for _ in range(5):
            assert callers.find_caller(key).name == "forum"
    assert ApiKey.objects.get().last_used_at is None


def test_a_keys_use_is_recorded_once_a_minute(key, django_assert_num_queries):
    callers.find_caller(key)
    with django_assert_num_queries(2):
        callers.refresh_callers()
    used = ApiKey.objects.get().last_used_at
    assert used
    with django_assert_num_queries(1):
        callers.refresh_callers()
    assert ApiKey.objects.get().last_used_at == used


def test_a_key_that_is_not_used_is_not_recorded(key, monkeypatch):
    callers.find_caller(key)
    callers.refresh_callers()
    used = ApiKey.objects.get().last_used_at
    pass_seconds(monkeypatch, 61)
    monkeypatch.setattr(timezone, "now", lambda: used + timedelta(seconds=61))
    callers.refresh_callers()
    assert ApiKey.objects.get().last_used_at == used


def test_every_process_knows_the_keys_that_another_used(key, django_assert_num_queries):
    ApiKey.objects.update(last_used_at=timezone.now())
    assert not callers.is_known(key)
    callers.refresh_callers()
    assert callers.is_known(key)
    with django_assert_num_queries(0):
        assert callers.find_caller(key).name == "forum"


def test_a_refresh_forgets_revoked_keys_and_learns_changes(key):
    callers.find_caller(key)
    ApiKey.objects.update(rate=7)
    callers.refresh_callers()
    assert callers.find_caller(key).rate == 7
    revoke_keys(keys=list_keys(), who="a test")
    callers.refresh_callers()
    assert callers.find_caller(key) is None


class Cut:
    """Lets every query fail as when the connection is cut."""

    def __init__(self):
        self.queries = 0

    def __call__(self, execute, sql, params, many, context):
        self.queries += 1
        raise OperationalError("the connection is cut")


def pass_seconds(monkeypatch, seconds: float) -> None:
    now = time.monotonic()
    monkeypatch.setattr(callers.time, "monotonic", lambda: now + seconds)


@pytest.mark.parametrize("has_refreshed", [True, False])
def test_without_the_database_a_known_key_holds_on_for_an_hour(key, monkeypatch, caplog, has_refreshed):
    assert callers.find_caller(key)
    with connection.execute_wrapper(Cut()):
        if has_refreshed:
            callers.refresh_callers()
        pass_seconds(monkeypatch, 40)
        assert callers.find_caller(key).name == "forum"
        with connection.execute_wrapper(cut := Cut()):
            assert callers.find_caller(key)
        assert cut.queries == 0  # none is tried again for each request: each would wait for a connection
        with pytest.raises(OperationalError):
            callers.find_caller("hs_unknown")
        pass_seconds(monkeypatch, 3700)
        with pytest.raises(OperationalError):
            callers.find_caller(key)
    assert "up to an hour" in caplog.text
    callers._entries.clear()


def test_a_revocation_holds_as_soon_as_the_database_is_back(key, monkeypatch):
    assert callers.find_caller(key)
    with connection.execute_wrapper(Cut()):
        callers.refresh_callers()
    pass_seconds(monkeypatch, 600)
    with connection.execute_wrapper(Cut()):
        callers.refresh_callers()
        assert callers.find_caller(key)
    revoke_keys(keys=list_keys(), who="a test")
    callers.refresh_callers()
    assert callers.find_caller(key) is None


def test_a_revoked_key_is_forgotten_after_30_seconds(key, monkeypatch):
    assert callers.find_caller(key)
    revoke_keys(keys=list_keys(), who="a test")
    assert callers.find_caller(key)
    pass_seconds(monkeypatch, 31)
    assert callers.find_caller(key) is None
    assert not callers._entries


def test_an_expired_key_counts_no_longer_at_once(key, monkeypatch):
    end = timezone.now() + timedelta(seconds=60)
    ApiKey.objects.update(expires_at=end)
    assert callers.find_caller(key)
    monkeypatch.setattr(timezone, "now", lambda: end)
    assert callers.is_known(key)
    assert callers.find_caller(key) is None
    assert not callers.is_known(key)  # so that trying it again counts as a failure


def test_a_key_is_found_by_an_index(key):
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN SELECT * FROM api_apikey WHERE digest = 'a' AND revoked_at IS NULL")
        assert "USING INDEX" in str(cursor.fetchall())


def test_accepted_suggestions_become_reviews_of_their_key(admin_client):
    for text, said in (("one", True), ("two", False)):
        add_review(text=text, is_hate_speech=said, key="forum", is_trusted=False)
    assert not Label.objects.exists()
    ids = list(Suggestion.objects.order_by("id").values_list("id", flat=True))
    for action, id_ in (("accept", ids[0]), ("turn_down", ids[1])):
        admin_client.post("/admin/api/suggestion/", {"action": action, "_selected_action": [id_]}, follow=True)
    assert list(Label.objects.values_list("tweet__text", "value", "source", "key")) == [("one", True, "review", "forum")]
    assert not list_waiting_suggestions()
    assert list(AuditEntry.objects.values_list("who", "what")) == [("admin admin", "accepted"), ("admin admin", "turned down")]
    # Decided, it may be said again, and waits again.
    add_review(text="two", is_hate_speech=True, key="forum", is_trusted=False)
    assert list_waiting_suggestions().count() == 1


def test_the_admin_makes_and_revokes_keys(admin_client):
    said = {"name": "desk", "scopes": ["predict", "review"], "is_trusted": "on", "rate": "30"}
    page = admin_client.post("/admin/api/apikey/add/", said, follow=True).content.decode()
    key = page.split("not shown again: ")[1].split("<")[0].strip()
    made = ApiKey.objects.get()
    assert made.digest == hash_key(key)
    assert (made.scopes, made.is_trusted, made.rate) == (["predict", "review"], True, 30)
    assert key not in admin_client.get("/admin/api/apikey/").content.decode()
    admin_client.post("/admin/api/apikey/", {"action": "revoke", "_selected_action": [made.id]}, follow=True)
    assert ApiKey.objects.get().revoked_at
    assert list(AuditEntry.objects.values_list("what", "subject")) == [("created key", "desk"), ("revoked key", "desk")]


def test_the_audit_trail_is_append_only(key):
    entry = AuditEntry.objects.get()
    with pytest.raises(TypeError, match="append-only"):
        entry.save()
    with pytest.raises(TypeError, match="append-only"):
        entry.delete()
