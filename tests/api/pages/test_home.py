"""The page, in a real browser; where Debian's Chromium is installed."""

import uuid

import pytest

from ...browser import CHROMIUM, launch_browser

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    with launch_browser() as browser:
        yield browser


@pytest.fixture
def page(browser):
    """Give a page with nothing kept of an earlier one, which takes down in `problems` what it should not do."""
    page = browser.new_page()
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: page.problems.append(request.url) if "127.0.0.1" not in request.url else None)
    yield page
    page.close()


def test_a_tweet_can_be_tried(service, page):
    page.goto(service.url)
    page.fill("#tweet", "nobody should have to live next to refugees")
    page.click("button")
    page.wait_for_selector("#verdict:not([hidden])")
    expected = service.client.post("/predict", json={"tweet": "nobody should have to live next to refugees"}).json()
    assert page.inner_text("#word") == ("Hate speech" if expected["is_hate_speech"] else "Not hate speech")
    assert expected["version"] in page.inner_text("#version")
    page.wait_for_function("document.getElementById('score').textContent.includes('held-out')")
    assert page.is_hidden("#reasons")
    assert page.problems == []


def test_the_reasons_are_shown_word_by_word(encoder_service, page):
    text = "Good 👩🏿‍🌾 morning,  all"
    page.goto(encoder_service.url)
    page.fill("#tweet", text)
    page.click("button")
    page.wait_for_selector("#reasons:not([hidden])")
    assert page.text_content("#words") == text
    assert page.eval_on_selector_all("#words mark", "marks => marks.map(mark => mark.textContent)")[:3] == [
        "Good",
        "👩🏿‍🌾",
        "morning",
    ]
    assert page.problems == []


def test_it_says_whom_a_text_attacks(encoder_service, page):
    page.goto(encoder_service.url)
    for text in ("All women are worthless and disgusting.", "Good morning"):
        page.fill("#tweet", text)
        page.click("#try button")
        targets = encoder_service.client.post("/predict", json={"tweet": text}).json().get("targets", [])
        page.wait_for_function("isHidden => document.getElementById('targets').hidden === isHidden", arg=not targets)
        assert all(target["group"] in page.inner_text("#targets") for target in targets)
    assert page.problems == []


@pytest.fixture(scope="module")
def closed(service, tmp_path_factory):
    """Give the shared service's web again, with keys."""
    with service.beside(tmp_path_factory.mktemp("closed"), HATE_SPEECH_OPEN_ACCESS="false") as web:
        web.start("web")
        yield web


def test_it_asks_for_a_key_and_for_nothing_else_until_it_has_one(closed, page):
    created = closed.manage("api_keys", "create", f"page-{uuid.uuid4().hex}", "--scopes", "predict")
    key = created.stdout.strip()
    asked = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(closed.url)))
    page.clock.install()
    page.goto(closed.url)
    page.wait_for_selector("#access:not([hidden])")
    page.clock.run_for(600_000)
    assert asked.count("/score") == 1
    page.fill("#key", "hs_of_nobody")
    page.click("#access button")
    page.wait_for_selector("#score:has-text('not valid')")
    page.wait_for_selector("#access:not([hidden])")
    page.clock.run_for(600_000)
    assert asked.count("/score") == 2

    page.fill("#key", f" {key} ")
    page.click("#access button")
    page.wait_for_selector("#score:has-text('held-out')")
    page.fill("#tweet", "Good morning")
    page.click("#try button")
    page.wait_for_selector("#verdict:not([hidden])")
    page.reload()
    page.wait_for_selector("#score:has-text('held-out')")
    assert page.is_hidden("#access")
    assert key not in page.content()


def test_it_asks_for_the_score_again_ever_later_while_there_is_none(untrained_service, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/score") else None)
    page.clock.install()
    page.goto(untrained_service.url)
    for _ in range(40):
        page.wait_for_selector("#score:has-text('not finished')")
        page.clock.run_for(4_000)
    assert 4 < len(asked) < 12  # after 2 seconds, 4, 8 and so on


def test_a_text_in_another_language_is_said_to_be_one(service, page):
    page.goto(service.url)
    for text, said in (("Die Fähre ist schon wieder zu spät", "This text seems to be in German."), ("Good morning", "")):
        page.fill("#tweet", text)
        with page.expect_response("**/predict"):
            page.click("#try button")
        page.wait_for_function("said => document.getElementById('language').innerText.startsWith(said)", arg=said)
        assert page.is_hidden("#language") == (not said)


def test_a_bad_tweet_is_explained(service, page):
    page.goto(service.url)
    page.fill("#tweet", "   ")
    page.click("button")
    page.wait_for_selector("#problem:not([hidden])")
    assert "blank" in page.inner_text("#problem")


def test_the_links_lead_somewhere(service, page):
    page.goto(service.url)
    links = page.eval_on_selector_all("nav a", "links => links.map(link => link.getAttribute('href'))")
    assert len(links) > 1
    for link in links:
        assert service.client.get(link, follow_redirects=True).status_code == 200


def test_the_docs_show_every_operation(service, page):
    page.goto(f"{service.url}/docs")
    page.wait_for_selector(".opblock")
    assert len(page.query_selector_all(".opblock")) == 13
    assert page.problems == []


def test_the_page_carries_no_text_of_anybodys(service):
    page = service.client.get("/")
    assert page.status_code == 200
    text = f"a stranger's sentence, {uuid.uuid4()}"
    service.client.post("/predict", json={"tweet": text})
    service.review(text, True)
    assert service.client.get("/").text == page.text
    # Nor what an address says.
    assert service.client.get("/", params={"tweet": text, "q": text}).text == page.text


def test_the_page_may_load_nothing_of_elsewhere(service):
    policy = service.client.get("/").headers["content-security-policy"]
    directives = dict(directive.split(maxsplit=1) for directive in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert set(directives.values()) == {"'none'", "'self'"}
