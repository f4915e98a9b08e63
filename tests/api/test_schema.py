import re
import subprocess

import httpx
import pytest
import yaml
from django.urls import URLPattern, get_resolver
from rest_framework.permissions import AllowAny

from api.access.permissions import Scope, ScopePermission

from ..service import BINARIES

pytestmark = pytest.mark.embedded

OPERATIONS = {
    ("post", "/predict"),
    ("post", "/reviewed"),
    ("post", "/reviewed/influence"),
    ("post", "/reviewed/withdraw"),
    ("get", "/score"),
    ("get", "/score/history"),
    ("get", "/models"),
    ("get", "/models/{version}"),
    ("post", "/models/{version}/activate"),
    ("post", "/train"),
    ("get", "/train/{run}"),
    ("get", "/healthz"),
    ("get", "/readyz"),
}

# Everybody may see these; every other route names a scope.
OPEN_ROUTES = {"home", "healthz", "readyz", "schema", "docs", "discovery"}


def find_routes(patterns) -> list[URLPattern]:
    """Return the routes of the API, those of included rooms among them; the admin and its redirect are not of it."""
    routes = []
    for pattern in patterns:
        if not str(pattern.pattern).startswith("admin"):
            routes += [pattern] if isinstance(pattern, URLPattern) else find_routes(pattern.url_patterns)
    return routes


@pytest.fixture(scope="module")
def schema(service):
    return yaml.safe_load(service.client.get("/schema").text)


def operations(schema):
    return {(method, path): operation for path, methods in schema["paths"].items() for method, operation in methods.items()}


def test_every_route_names_its_scope_or_is_open_on_purpose():
    routes = find_routes(get_resolver().url_patterns)
    assert {route.name for route in routes} >= OPEN_ROUTES
    for route in routes:
        [permission] = route.callback.cls.permission_classes
        if route.name in OPEN_ROUTES:
            assert permission is AllowAny, route
        else:
            assert issubclass(permission, ScopePermission), route
            assert permission.scope in Scope, route


def test_it_is_openapi_3_1_and_names_the_real_paths_only(schema):
    assert schema["openapi"].startswith("3.1")
    assert set(operations(schema)) == OPERATIONS


def test_every_operation_has_examples_and_its_errors(schema):
    for (method, path), operation in operations(schema).items():
        assert operation["description"]
        assert "405" in operation["responses"]
        success = operation["responses"].get("200") or operation["responses"]["202"]
        assert any("examples" in content for content in success["content"].values())
        if method == "post":
            assert {"403", "413"} <= set(operation["responses"]), path
        if "requestBody" in operation:
            assert {"400", "415"} <= set(operation["responses"]), path
            assert operation["requestBody"]["content"]["application/json"]["examples"], path
        for code, response in operation["responses"].items():
            assert response["content"]["application/json"]["examples"], (path, code)


def test_it_is_made_without_a_warning(new_service, tmp_path):
    done = new_service().manage("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("", "*/*", "application/vnd.oai.openapi"),
        ("", "text/html,*/*;q=0.8", "application/vnd.oai.openapi"),
        ("?format=yaml", "*/*", "application/vnd.oai.openapi"),
        ("?format=json", "*/*", "application/json"),
        ("", "application/json", "application/json"),
        ("", "application/vnd.oai.openapi+json", "application/json"),
        ("?version=a%0ab&lang=xx", "*/*", "application/vnd.oai.openapi"),
    ],
)
def test_it_comes_as_yaml_or_json(service, schema, query, accept, kind):
    answer = service.client.get(f"/schema{query}", headers={"Accept": accept})
    assert answer.headers["content-type"].split(";")[0] == kind
    assert yaml.safe_load(answer.text) == schema  # JSON is YAML too


def test_it_says_what_is_refused(service, schema):
    predict = schema["components"]["schemas"]["TweetInputRequest"]
    assert predict["oneOf"] == [{"required": ["tweet"]}, {"required": ["tweets"]}]
    assert predict["properties"]["tweets"]["minItems"] == 1
    for body in ({}, {"tweets": []}, {"tweet": " "}, {"tweet": "a", "tweets": ["a"]}, {"tweet": "a", "explain": "yes"}):
        assert service.client.post("/predict", json=body).status_code == 400, body
    for operation in operations(schema).values():
        assert operation.get("requestBody", {"required": True})["required"]
    [size] = [one["schema"] for one in schema["paths"]["/models"]["get"]["parameters"] if one["name"] == "page_size"]
    for given, status in ((size["minimum"], 200), (size["maximum"], 200), (size["minimum"] - 1, 400), (size["maximum"] + 1, 400)):
        assert service.client.get("/models", params={"page_size": given}).status_code == status


def test_every_body_that_it_names_is_taken_and_no_other(service, schema):
    for path in ("/predict", "/reviewed"):
        named = set(schema["paths"][path]["post"]["requestBody"]["content"])
        assert named == {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
        for content_type in named:
            answer = service.client.post(path, content=b"", headers={"Content-Type": content_type})
            assert answer.status_code == 400
        assert service.client.post(path, content=b"a", headers={"Content-Type": "text/plain"}).status_code == 415


def test_docs_come_from_this_machine_alone(service):
    page = service.client.get("/docs")
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert links
    for link in links:
        assert link.startswith("/static/"), link
        assert service.client.get(link).status_code == 200
    assert not [host for host in re.findall(r"https?://([^/\"']+)", page.text) if not host.startswith("127.0.0.1")]


@pytest.mark.slow
def test_a_fuzzer_finds_no_server_error(service, tmp_path):
    done = subprocess.run(
        [
            str(BINARIES / "schemathesis"), "run", f"{service.url}/schema",
            "--max-examples", "60", "--seed", "1", "--generation-database", "none",
            "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    assert httpx.get(f"{service.url}/healthz").status_code == 200
