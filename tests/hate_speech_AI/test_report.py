import re
import shutil
from html import escape
from html.parser import HTMLParser

import pytest

from hate_speech_AI.core import Classifier
from hate_speech_AI.engines.linear import LinearEngine
from hate_speech_AI.store import ModelStore
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.rows import Row, choose_side

from .rows import toy_rows

HOSTILE = '<script>alert(1)</script> & "quotes" </details> I hate groupa people ]]> <!-- {}'


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = ModelStore(tmp_path_factory.mktemp("report") / "models", LinearEngine)
    classifier = Classifier(store)
    # Labelled the other way on the held-out side, so that they are mistakes of both kinds there.
    texts = [f"{HOSTILE} {kind} {number}" for kind in ("violets", "tulips") for number in range(100)]
    hostile = [
        Row(text, ("violets" in text) != (choose_side(fingerprint(text)) == "held_out"), "<b>source</b>") for text in texts
    ]
    classifier.train_model([*toy_rows(), *hostile])
    # Labelled the other way where it learns, and rightly where it is judged.
    is_held_out = {row: choose_side(fingerprint(row.text)) == "held_out" for row in toy_rows()}
    classifier.train_model([row._replace(value=row.value == held_out) for row, held_out in is_held_out.items()])
    return store


@pytest.fixture(scope="module")
def first(store):
    return store.report(store.versions()[0])


@pytest.fixture(scope="module")
def refused(store):
    return store.report(store.versions()[1])


def test_it_has_every_part(first):
    for part in (
        "Score: F1", "Precision-recall curve", "Calibration curve", "Right and wrong", "Score history",
        "Functional checks by group", "Error rates by identity group", "By source", "The most confident mistakes",
    ):  # fmt: skip
        assert part in first, part
    assert first.count("<svg") == 5


def test_the_score_has_an_interval(first):
    low, high = map(float, re.search(r"between ([\d.]+) and ([\d.]+) with", first).groups())
    score = float(re.search(r'class="score">([\d.]+)', first)[1])
    assert low < score < high


def test_it_is_self_contained_and_small(first):
    assert len(first.encode()) < 3_000_000
    assert not re.findall(r"<(?:script|link|iframe|img|object)", first)
    assert not re.findall(r"(?:src|href)=\"(?!#)", first)
    assert set(re.findall(r"https?://[^\"<> ]+", first)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_texts_are_escaped_and_behind_a_click(first):
    assert "<script>" not in first
    assert "&lt;script&gt;alert(1)" in first
    assert "&lt;b&gt;source" in first

    class Visible(HTMLParser):
        depth, seen = 0, ""

        def handle_starttag(self, tag, attributes):
            self.depth += tag == "details"

        def handle_endtag(self, tag):
            self.depth -= tag == "details"

        def handle_data(self, data):
            if not self.depth:
                self.seen += data

    page = Visible()
    page.feed(first)
    assert page.depth == 0
    assert "alert(1)" not in page.seen


def test_no_id_occurs_twice(first):
    ids = re.findall(r' id="([^"]+)"', first)
    assert len(ids) == len(set(ids))
    for used in re.findall(r'(?:url\(#|href="#)([^)"]+)', first):
        assert used in ids


def test_the_colours_are_the_pages(first):
    assert "prefers-color-scheme: dark" in first
    assert not re.findall(r"#0[147a]0[258b]0[369c]", first)


def test_a_refusal_says_why(store, refused):
    gate = store.manifest(store.versions()[1])["gate"]
    assert not gate["passed"]
    assert gate["reasons"]
    said = refused[refused.index('<p class="bad">') :]
    assert f"refused it against {store.versions()[0]}" in said
    for reason in gate["reasons"]:
        assert f"<li>{escape(reason)}</li>" in said


def test_a_version_that_passed_is_not_called_refused(first):
    assert 'class="bad"' not in first


@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium on this machine (apt-get install chromium)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_light_and_dark(store, tmp_path, scheme):
    from playwright.sync_api import sync_playwright

    path = store.root / store.versions()[0] / "report.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(color_scheme=scheme)
        problems = []
        page.on("console", lambda message: problems.append(message.text))
        page.goto(path.as_uri())
        ink, paper = page.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
        brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) / 3 for colour in (ink, paper)]
        assert abs(brightness[0] - brightness[1]) > 150
        assert (brightness[1] < 100) == (scheme == "dark")
        in_picture = page.evaluate("getComputedStyle(document.querySelector('svg text')).fill")
        assert in_picture == ink
        # Nothing is wider than the page.
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert not page.is_visible("details li")
        page.click("details summary")
        assert page.is_visible("details li")
        assert problems == []
        browser.close()
