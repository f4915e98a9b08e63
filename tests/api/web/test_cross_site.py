"""A form on any web page can post to 127.0.0.1: browsers say where a request comes from, and the service listens."""

import httpx
import pytest

pytestmark = pytest.mark.embedded

FORM = {"tweet": "a text", "is_hate_speech": "true"}
WRITING_PATHS = ["/predict", "/reviewed", "/predict/", "/reviewed/"]


def post_form(service, path, **headers):
    return service.client.post(path, data=FORM, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("path", WRITING_PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://[bad"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:9"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.test", "Sec_Fetch_Site": "same-origin"},
    ],
)
def test_a_form_of_another_site_is_403(service, path, headers):
    answer = post_form(service, path, **headers)
    assert answer.status_code == 403
    assert answer.json()["code"] == "cross_site"


@pytest.mark.parametrize("path", WRITING_PATHS)
def test_a_form_of_our_own_page_is_taken(service, path):
    answer = post_form(service, path, Origin=service.url, Sec_Fetch_Site="same-origin")
    assert answer.status_code == 200


def test_a_client_that_is_no_browser_is_taken(service):
    assert post_form(service, "/predict").status_code == 200


def test_no_site_may_read_by_default(service):
    answer = service.client.get("/score", headers={"Origin": "https://evil.test"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_sites_on_the_cors_list_may_post_and_read(new_service):
    open_service = new_service(CORS_ALLOWED_ORIGINS="http://localhost:3000")
    open_service.start("web")
    answer = post_form(open_service, "/reviewed", Origin="http://localhost:3000", Sec_Fetch_Site="cross-site")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    sent = ["content-type", "authorization", "x-api-key", "x-goog-api-key", "x-stainless-lang", "x-stainless-retry-count"]
    preflight = httpx.options(
        f"{open_service.url}/reviewed",
        headers={
            "Origin": "http://localhost:3000",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": ", ".join(sent),
        },
    )
    assert preflight.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert set(sent) <= set(preflight.headers["access-control-allow-headers"].split(", "))
    exposed = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "X-Model-Version"}
    assert exposed <= set(answer.headers["access-control-expose-headers"].split(", "))
    assert post_form(open_service, "/reviewed", Origin="https://evil.test").status_code == 403
    too_large = httpx.post(f"{open_service.url}/reviewed", content=b"a" * 1_100_000, headers={"Origin": "http://localhost:3000"})
    assert too_large.status_code == 413
    assert too_large.headers["access-control-allow-origin"] == "http://localhost:3000"
