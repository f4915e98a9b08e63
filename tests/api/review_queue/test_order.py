"""The order of the posts to review."""

import pytest
from django.db import connection

from api.review_queue import services
from api.review_queue.found import FoundPost
from api.review_queue.models import Post
from api.review_queue.selectors import list_posts_to_review
from api.review_queue.services import add_posts, order_posts, review_posts
from hate_speech_AI.core import classifier

pytestmark = pytest.mark.django_db

# The engines read no names of accounts, so these are copies of one text.
COPIES = [f"@reader{n} I cannot stand those people from the other side of the river" for n in range(8)]
OTHERS = ["They should all go home", "What a lovely park", "Nobody wants your sort at our table"]


@pytest.fixture(params=["linear", "encoder"])
def engine(request) -> str:
    """Serve a version of each engine in turn, and give the engine's name."""
    if request.param == "linear":
        request.getfixturevalue("store")
    else:
        request.getfixturevalue("serve_encoder")()
    return request.param


def add(texts: list[str]) -> None:
    add_posts(posts=[FoundPost(text, "") for text in texts], feed="https://news.example/feed")


def listed() -> list[str]:
    return [post.tweet.text for post in list_posts_to_review()]


def test_copies_of_one_text_come_after_all_others(engine):
    add(COPIES + OTHERS)
    order_posts()
    first = listed()[: len(OTHERS) + 1]
    assert set(OTHERS) < {*first}
    assert set(listed()) == {*COPIES, *OTHERS}


def test_the_same_posts_have_the_same_order(engine):
    add(COPIES + OTHERS)
    order_posts()
    before = listed()
    order_posts()
    assert listed() == before


def test_a_decision_moves_no_other_post(store):
    add(COPIES + OTHERS)
    order_posts()
    before = listed()
    review_posts(posts=Post.objects.filter(tweet__text__in=before[2:4]), is_hate_speech=False)
    assert listed() == before[:2] + before[4:]


def test_posts_that_come_later_are_last_until_the_next_order(store):
    add(COPIES)
    order_posts()
    add(OTHERS)
    assert set(listed()[-len(OTHERS) :]) == set(OTHERS)
    order_posts()
    assert set(OTHERS) < set(listed()[: len(OTHERS) + 1])


def test_only_the_most_uncertain_posts_get_a_place(store, monkeypatch):
    add(COPIES + OTHERS)
    order_posts()
    by_uncertainty = list(Post.objects.order_by("-uncertainty", "id").values_list("tweet__text", flat=True))
    monkeypatch.setattr(services, "MAX_TEXTS", 4)
    order_posts()
    assert set(listed()[:4]) == set(by_uncertainty[:4])
    assert listed()[4:] == by_uncertainty[4:]
    assert Post.objects.filter(place=Post.LAST).count() == 7


def test_the_active_version_judges_the_posts_anew(store):
    add(OTHERS)
    expected = {post.tweet.text: (post.probability, post.uncertainty) for post in list_posts_to_review()}
    Post.objects.update(version="an older one", probability=0.5, uncertainty=1.0)
    order_posts()
    assert {post.tweet.text: (post.probability, post.uncertainty) for post in list_posts_to_review()} == expected
    assert {post.version for post in list_posts_to_review()} == {classifier.store.active()}


def test_without_posts_there_is_nothing_to_order(store):
    order_posts()
    assert listed() == []


def test_a_training_orders_the_posts(store):
    from hate_speech.tasks import auto_first_train_model

    add(COPIES + OTHERS)
    auto_first_train_model()
    assert not Post.objects.filter(place=Post.LAST).exists()


def test_a_page_of_the_list_is_read_in_its_order(store):
    add(OTHERS)
    query, parameters = list_posts_to_review()[:100].query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query}", parameters)
        plan = [row[-1] for row in cursor.fetchall()]
    assert any("post_review_order" in step for step in plan)
    assert not any("ORDER BY" in step for step in plan)


def test_the_page_says_what_its_order_is(store, admin_client):
    add(COPIES + OTHERS)
    order_posts()
    page = admin_client.get("/admin/api/post/").content.decode()
    assert "unsure of and that are unlike one another" in page
    places = [page.index(text) for text in listed()]
    assert places == sorted(places)
