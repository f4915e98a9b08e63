"""The page, in a real browser; where Debian's Chromium is installed."""

import shutil
import uuid

import pytest

pytestmark = pytest.mark.embedded

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


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


def test_a_text_in_another_language_is_said_to_be_one(service, page):
    page.goto(service.url)
    for text, said in (("Die Fähre ist schon wieder zu spät", "This text seems to be in German."), ("Good morning", "")):
        page.fill("#tweet", text)
        with page.expect_response("**/predict"):
            page.click("button")
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
    assert len(page.query_selector_all(".opblock")) == 11
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
