"""Under open access only this machine is answered: what came through a proxy may come from elsewhere."""

import pytest

pytestmark = pytest.mark.embedded

HEADERS = [
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Whatever": ""},
    {"Forwarded": "for=203.0.113.9"},
    {"Via": "1.1 proxy"},
    {"X-Real-IP": "203.0.113.9"},
    {"CF-Connecting-IP": "203.0.113.9"},
    {"x-forwarded-host": "api.example.org"},
]


@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize(("method", "path"), [("POST", "/predict"), ("POST", "/train"), ("GET", "/score"), ("GET", "/")])
def test_a_request_that_came_through_a_proxy_is_refused(service, method, path, headers):
    answer = service.client.request(method, path, headers=headers, json={"tweet": "Good morning"} if method == "POST" else None)
    assert answer.status_code == 403
    assert answer.json()["code"] == "open_access_behind_proxy"
    assert "docs/run.md" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/static/api/home.js", "/admin/", "/docs", "/schema", "/nope", "/v1/moderations", "/predict/"])
def test_nothing_is_open_to_it(service, path):
    assert service.client.get(path, headers={"Via": "1.1 proxy"}).status_code == 403


def test_it_is_refused_in_the_shape_of_the_dialect(service):
    headers, body = {"X-Forwarded-For": "203.0.113.9"}, {"input": "Good morning"}
    answer = service.client.post("/v1/moderations", headers=headers, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "open_access_behind_proxy")
    answer = service.client.post("/v1alpha1/comments:analyze", headers=headers, json=body)
    assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_answered(service, path):
    assert service.client.get(path, headers={"X-Forwarded-For": "203.0.113.9"}).status_code in (200, 503)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", ""])
def test_a_name_that_leads_here_is_refused(service, host):
    """A page may give its own name this machine's address after it was loaded."""
    answer = service.client.post("/predict", json={"tweet": "Good morning"}, headers={"Host": host})
    assert answer.status_code == 400
