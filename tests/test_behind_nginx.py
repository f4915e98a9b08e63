"""A server as docs/run.md says, word by word: nginx in front, on 443, on another port and below a path."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys

import httpx
import pytest
import yaml

from .browser import CHROMIUM, launch_browser
from .documents import ROOT, blocks
from .nginx import HOST, Nginx
from .service import Service, wait_until

pytestmark = pytest.mark.slow

TLS_PORT = 443


def documented_settings() -> dict[str, str]:
    """Return the settings that the page writes into `.env`, with a key in place of its dots."""
    [block] = [block for block in blocks((ROOT / "docs/run.md").read_text("utf-8")) if "PROXIES=" in block.text]
    settings = dict(line.split("=", 1) for line in block.text.splitlines())
    assert settings["SECRET_KEY"] == "..."
    return settings | {"SECRET_KEY": secrets.token_urlsafe(48)}


class Site:
    """A service that nginx hands on at https://api.example.org, PORT and prefix as a client writes them.

    443 is not this account's to listen on, so clients are sent to nginx's own port; what they write is what they would at 443.
    """

    def __init__(self, nginx: Nginx, service: Service, port: int, prefix: str = ""):
        self.nginx, self.service, self.port, self.prefix = nginx, service, port, prefix
        self.netloc = HOST if port == TLS_PORT else f"{HOST}:{port}"
        self.url = f"https://{self.netloc}{prefix}"
        key = service.manage(
            "api_keys", "create", f"forum-{secrets.token_hex(4)}", "--scopes", "predict,review,admin", "--trusted"
        )
        assert key.returncode == 0, key.stderr
        self.key = key.stdout.strip()
        self.client = httpx.Client(
            base_url=f"https://127.0.0.1:{nginx.port}{prefix}", headers={"Host": self.netloc}, verify=False, timeout=30
        )

    def ask(self, method: str, path: str, *, with_key: bool = True, **options):
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {self.key}"} if with_key else {})
        return self.client.request(method, path, headers=headers, extensions={"sni_hostname": HOST}, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def run_by_make(folder):
    """Give a service that `make run` starts with the page's `.env`; the accounts and keys come by manage.py, as there."""
    data, port = folder / "var", Service(folder / "unused", {}).port
    env_file = folder / "settings"
    lines = documented_settings() | {"PORT": str(port), "HATE_SPEECH_DATA_DIR": str(data), "HATE_SPEECH_ENGINE": "linear"}
    env_file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    environment = {"PATH": os.environ["PATH"], "HATE_SPEECH_ENV_FILE": str(env_file)}
    with (folder / "make.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, ROOT / "docker/run_local.py"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    service = Service(folder / "unused", {})
    service.environment = environment
    service.port, service.url = port, f"http://127.0.0.1:{port}"
    service.client = httpx.Client(base_url=service.url)
    wait_until(
        lambda: "Hate speech detector" in (folder / "make.log").read_text() or process.poll() is not None, 60, "the banner"
    )
    assert process.poll() is None, (folder / "make.log").read_text()
    wait_until(lambda: "model" in (ready := service.client.get("/readyz").json()) and ready["model"] == "ok", 60, "the training")
    yield service
    service.client.close()
    os.killpg(process.pid, signal.SIGINT)
    process.wait(30)


@pytest.fixture(scope="module")
def below_a_path(folder):
    """Give a service of gunicorn alone, below /hate."""
    environment = documented_settings() | {"URL_PREFIX": "/hate"}
    with Service(folder / "prefixed", environment) as service:
        service.start("web", "worker")
        assert service.manage("exec_train", "--wait").returncode == 0
        wait_until(lambda: service.client.get("/readyz").json()["model"] == "ok", 60, "the model")
        yield service


@pytest.fixture(scope="module", params=["on 443", "on another port", "below a path"])
def site(request, folder):
    if request.param == "below a path":
        service, location, prefix = request.getfixturevalue("below_a_path"), "/hate/", "/hate"
    else:
        service, location, prefix = request.getfixturevalue("run_by_make"), "/", ""
    nginx = Nginx(folder / request.param.replace(" ", "-"), service.port, location)
    site = Site(nginx, service, TLS_PORT if request.param == "on 443" else nginx.port, prefix)
    yield site
    site.client.close()
    nginx.stop()


@pytest.mark.parametrize("path", ["/train", "/reviewed", "/predict", "/v1/moderations"])
def test_nobody_comes_without_a_key(site, path):
    body = {"tweet": "Good morning", "is_hate_speech": False}
    assert site.ask("POST", path, with_key=False, json=body).status_code == 401
    # Nor at the service itself, whatever is said of where it came from.
    direct = httpx.post(f"{site.service.url}{path}", json=body, headers={"Host": HOST, "X-Forwarded-For": "127.0.0.1"})
    assert direct.status_code == 401


def test_a_key_opens_what_it_names(site):
    answer = site.ask("POST", "/predict", json={"tweet": "Good morning"})
    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-limit"] == "600"
    assert site.ask("POST", "/reviewed", json={"tweet": "Good morning", "is_hate_speech": False}).status_code == 200


def test_what_the_service_links_to_is_where_it_is_reached(site):
    trained = site.ask("POST", "/train")
    assert trained.status_code == 202
    assert trained.headers["location"].startswith(f"{site.prefix}/train/")
    assert site.ask("GET", "/$discovery/rest?version=v1alpha1").json()["rootUrl"] == f"{site.url}/"
    redirect = site.ask("GET", "/admin")
    assert redirect.headers["location"] == f"{site.prefix}/admin/"
    login = site.ask("GET", "/admin/")
    assert login.headers["location"].startswith(f"{site.prefix}/admin/login/")
    schema = yaml.safe_load(site.ask("GET", "/schema").text)
    assert [server["url"] for server in schema.get("servers", [])] == ([site.prefix] if site.prefix else [])
    assert "/predict" in schema["paths"]
    page = site.ask("GET", "/").text
    for link in re.findall(r'(?:href|src)="([^"]+)"', page):
        assert link.startswith(f"{site.prefix}/")
        answered = (200, 302, 503) if link.endswith("/readyz") else (200, 302)  # it may not be ready yet
        assert site.ask("GET", link.removeprefix(site.prefix)).status_code in answered, link
    assert httpx.get(f"{site.service.url}/healthz").status_code == 200


def test_a_form_of_the_sites_own_page_is_taken_and_one_of_another_port_is_not(site):
    body = {"tweet": "Good morning"}
    own = site.url.removesuffix(site.prefix)
    assert site.ask("POST", "/predict", json=body, headers={"Origin": own}).status_code == 200
    other = f"https://{HOST}:{site.port + 1}"
    assert site.ask("POST", "/predict", json=body, headers={"Origin": other}).status_code == 403


def test_people_can_log_in_and_try_it(site):
    """In a real browser, which sends what browsers send."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    name, password = f"moderator-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    account = "from django.contrib.auth.models import User; User.objects.create_superuser({!r}, '', {!r})"
    site.service.query(account.format(name, password))
    rule = f"MAP {HOST}:{site.port} 127.0.0.1:{site.nginx.port}"
    with launch_browser(f"--host-resolver-rules={rule}", "--ignore-certificate-errors") as browser:
        page = browser.new_page()
        failed = []
        page.on("response", lambda response: failed.append((response.status, response.url)) if response.status >= 400 else None)

        page.goto(f"{site.url}/admin/")
        page.fill("#id_username", name)
        page.fill("#id_password", password)
        page.click("input[type=submit]")
        page.wait_for_selector("#user-tools")
        assert page.url == f"{site.url}/admin/"
        assert page.evaluate("getComputedStyle(document.querySelector('#header')).backgroundColor") != "rgba(0, 0, 0, 0)"

        page.goto(f"{site.url}/docs")
        page.wait_for_selector(".opblock")
        assert failed == []
        status = page.evaluate(
            """async ([path, key]) => (await fetch(path, {
                method: "POST", headers: {"Content-Type": "application/json", Authorization: `Bearer ${key}`},
                body: JSON.stringify({tweet: "Good morning"})})).status""",
            [f"{site.prefix}/predict", site.key],
        )
        assert status == 200

        page.goto(f"{site.url}/")
        page.fill("#key", site.key)
        page.click("#access button")
        page.fill("#tweet", "Good morning")
        page.click("#try button")
        page.wait_for_selector("#verdict:not([hidden])")
        assert json.loads(page.evaluate("JSON.stringify(sessionStorage)")) == {"apiKey": site.key}
