"""The outermost layer: what it refuses, in which shape, and that nothing of a request reaches the log."""

import pytest

from ...raw import ask

GOOD = b'{"tweet": "a text", "is_hate_speech": true}'
LAST = b"Host: 127.0.0.1\r\nConnection: close\r\n\r\n"
ROUTES = [
    *("/", "/predict", "/reviewed", "/score", "/score/history", "/models", "/models/none", "/models/none/activate", "/train"),
    *("/models/none/report", "/train/1", "/healthz", "/readyz", "/schema", "/docs", "/admin", "/admin/login/", "/nowhere"),
    *("/v1/moderations", "/v1/models", "/v1/models/none", "/v1alpha1/comments:analyze", "/v1alpha1/comments:suggestscore"),
    *("/$discovery/rest", "/static/api/home.js", "/static/nowhere"),
]


@pytest.fixture
def new_log(service):
    """Give a function that returns what the service has logged since the test began."""
    before = len(service.log("web"))
    return lambda: service.log("web")[before:]


@pytest.mark.parametrize(
    "charset", ["zlib", "hex", "base64", "idna", "rot13", "utf-7", "utf-16", "latin-1", "unicode_escape", "none"]
)
@pytest.mark.parametrize("path", ["/healthz?x", "/static/x?x", "/predict", "/v1/moderations"])
def test_no_charset_but_utf_8_is_looked_up(service, new_log, path, charset):
    for content_type in (f"a/b; charset={charset}", f'application/json; a=b; CHARSET="{charset}"', f"a/b; charset*={charset}''x"):
        answer = service.client.get(path, headers={"Content-Type": content_type})
        assert answer.status_code == 400, content_type
        assert "UTF-8" in answer.text
    assert "Traceback" not in new_log()


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", 'application/json;charset="UTF-8"', "APPLICATION/JSON"]
)
def test_utf_8_may_be_named(service, content_type):
    assert service.client.post("/predict", content=GOOD, headers={"Content-Type": content_type}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "multipart/form-data; boundary*=zlib'en'a"},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": b"multipart/form-data; boundary=\xe4"},
        {"Content-Type": "multipart/form-data; boundary=a"},
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        b"nothing of a form",
        b"--a\r\nContent-Disposition: form-data; name*=hex'en'ab\r\n\r\nb\r\n--a--\r\n",
        b"--a\r\nContent-Disposition: form-data; name*=none''ab; filename*=zlib''a\r\n\r\nb\r\n--a--\r\n",
        b'--a\r\nContent-Disposition: form-data; name="tweet"\r\nContent-Transfer-Encoding: base64\r\n\r\nA\r\n--a--\r\n',
        b'--a\r\nContent-Disposition: form-data; name="tweet"\r\n\r\n\xff\r\n--a--\r\n',
        b'--a\r\nContent-Disposition: form-data; name="tweet"\r\n\r\na\0b\r\n--a--\r\n',
    ],
)
def test_no_part_of_a_form_breaks_anything(service, new_log, headers, body):
    for path in ("/reviewed", "/admin/login/"):
        answer = service.client.post(path, content=body, headers=headers)
        assert answer.status_code in (400, 403)
    assert "Traceback" not in new_log()


@pytest.mark.parametrize(("body", "field"), [(b"tweet=a%00b", "tweet"), (b"tweet=a%ffb", "body"), (b"a%ed%a0%80=b", "body")])
def test_a_form_must_be_utf_8_without_nul(service, body, field):
    answer = service.client.post("/reviewed", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


HALVES = ["\\ud800", "\\uDFFF", "\\ude00\\ud83d", "\\u0000"]


@pytest.mark.parametrize("half", HALVES)
def test_no_string_of_a_body_may_be_unstorable_wherever_it_is(service, new_log, half):
    comment = '"comment": {"text": "a"}, "requestedAttributes": {"IDENTITY_ATTACK": {}}'
    decision = '"comment": {"text": "a"}, "attributeScores": {"IDENTITY_ATTACK": {"summaryScore": {"value": 1}}}'
    for path, bodies in {
        "/predict": [
            f'{{"tweets": ["a", "{half}"]}}',
            f'{{"tweet": "a", "{half}": 1}}',
            f'{{"tweet": "a", "b": [[{{"c": "{half}"}}]]}}',
        ],
        "/reviewed": [f'{{"tweet": "{half}", "is_hate_speech": true}}'],
        "/v1/moderations": [f'{{"input": "a", "model": "{half}"}}', f'{{"input": ["{half}"]}}', f'["{half}"]'],
        "/v1alpha1/comments:analyze": [
            f'{{{comment}, "clientToken": "{half}"}}',
            f'{{{comment}, "languages": ["{half}"]}}',
            f'{{"comment": {{"text": "a"}}, "requestedAttributes": {{"IDENTITY_ATTACK": {{"scoreType": "{half}"}}}}}}',
            f'{{"comment": {{"text": "a"}}, "requestedAttributes": {{"{half}": {{}}}}}}',
        ],
        "/v1alpha1/comments:suggestscore": [f'{{{decision}, "{name}": "{half}"}}' for name in ("clientToken", "communityId")],
    }.items():  # fmt: skip
        for body in bodies:
            answer = service.client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 400, body
            assert set(answer.json()) == ({"error"} if "v1" in path else {"errors"})
    assert "Traceback" not in new_log()


def test_a_whole_surrogate_pair_is_a_character_like_any_other(service):
    body = b'{"tweet": "\\ud83d\\ude00 a smile, and a \\\\ud800 that is none"}'
    assert service.client.post("/predict", content=body, headers={"Content-Type": "application/json"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/%00", "/models/%00", "/models/%ff", "/train/%00", "/static/%00", "/admin/%00/", "/v1/models/%ed%a0%80"]
)
def test_no_address_holds_nul_or_what_is_not_utf_8(service, path):
    assert ask(service.port, f"GET {path} HTTP/1.1\r\n".encode() + LAST).startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize("query", ["a=%00", "%00", "page=%ff", "a=%ed%a0%80", "&" * 2000])
@pytest.mark.parametrize("path", ["/models", "/admin/login/", "/$discovery/rest", "/schema", "/healthz"])
def test_a_query_must_be_utf_8_without_nul(service, new_log, path, query):
    assert ask(service.port, f"GET {path}?{query} HTTP/1.1\r\n".encode() + LAST).startswith(b"HTTP/1.1 400")
    assert "Traceback" not in new_log()


@pytest.mark.parametrize("path", ROUTES)
def test_every_method_gets_an_answer_on_every_route(service, new_log, path):
    for method in ("OPTIONS", "HEAD", "GET", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW"):
        answer = service.client.request(method, path)
        assert answer.status_code < 500, method
    assert "Traceback" not in new_log()


@pytest.mark.parametrize(
    ("path", "methods"), [("/docs", "GET, HEAD, OPTIONS"), ("/predict", "OPTIONS, POST"), ("/v1/models", "GET, HEAD, OPTIONS")]
)
def test_options_names_the_methods_of_an_address(service, path, methods):
    for written in (path, f"{path}/"):
        answer = service.client.options(written)
        assert answer.status_code == 200
        assert answer.headers["allow"] == methods


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO", "Script-Name", "X-Script-Name", "X-Original-URL", "X-Rewrite-URL"])
def test_no_header_moves_a_request_to_another_address(service, name):
    said = ask(service.port, f"GET /public/admin/login/ HTTP/1.1\r\n{name}: /public\r\n".encode() + LAST)
    assert said.startswith((b"HTTP/1.1 403", b"HTTP/1.1 404"))  # as a proxy's, or as no address of ours


def test_nothing_of_a_request_reaches_the_log(service, new_log):
    secret = "hs_recognisable"
    for head in (
        f"GET /healthz?key={secret} HTTP/1.1\r\nContent-Type: a/b; charset=zlib\r\n",
        f"GET /healthz?key={secret} HTTP/1.1\r\n{secret}\r\n",
        f"GET /healthz?key={secret} HTTP/9.9\r\n",
        f"GET /healthz?key={secret}\x01 HTTP/1.1\r\n",
        f"GET {secret} HTTP/1.1\r\n",
        f"{secret} /healthz HTTP/1.1\r\n",
        f"GET /admin/login/?{'&'.join([secret] * 1500)}HTTP/1.1\r\n",
        f"GET /schema?version={secret}%0a&lang={secret}&format={secret} HTTP/1.1\r\nAccept: {secret}\r\n",
        f"GET /models?page={secret}&page_size={secret} HTTP/1.1\r\nCookie: sessionid={secret}\r\n",
        f"OPTIONS /docs?key={secret} HTTP/1.1\r\nAuthorization: Bearer {secret}\r\n",
        f"POST /predict?key={secret} HTTP/1.1\r\nContent-Length: 5000000\r\n",
        f"POST /predict?key={secret} HTTP/1.1\r\nTransfer-Encoding: {secret}\r\n",
        f"POST /predict?key={secret} HTTP/1.1\r\nExpect: {secret}\r\n",
    ):
        said = ask(service.port, head.encode() + LAST)
        assert said.startswith((b"HTTP/1.1 4", b"HTTP/1.1 2")), head
        assert b"<html" not in said.lower()
    assert secret not in new_log()
    assert "Traceback" not in new_log()


@pytest.mark.parametrize(
    ("path", "keys"),
    [("/predict", {"detail", "code"}), ("/v1/moderations", {"error"}), ("/v1alpha1/comments:analyze", {"error"})],
)
def test_what_the_server_refuses_has_the_shape_of_the_path(service, path, keys):
    answer = service.client.post(path, content=b"a" * 1_100_000, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert set(answer.json()) == keys
