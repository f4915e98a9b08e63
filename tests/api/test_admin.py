"""The admin: what a moderator sees and does."""

from collections import Counter

import pytest
from django.db import connection

from api.labels.models import Label
from api.labels.selectors import stream_labelled_rows
from api.labels.services import add_review
from api.review_queue.found import FoundPost
from api.review_queue.models import Post
from api.review_queue.selectors import list_posts_to_review
from api.review_queue.services import add_posts
from hate_speech_AI.core import Prediction
from hate_speech_AI.labels import PRIMARY

pytestmark = pytest.mark.django_db


@pytest.fixture
def posts(monkeypatch):
    sure = {"sure": 0.99, "harmless": 0.02, "unsure": 0.55}
    monkeypatch.setattr(
        "api.review_queue.services.judge",
        lambda texts, caller: [Prediction(sure[text] >= 0.5, sure[text], 0.5, "v", {PRIMARY: sure[text]}) for text in texts],
    )
    link = "javascript:alert(1)"
    add_posts(posts=[FoundPost(text, link) for text in sure], feed="https://news.example/feed")


def run_action(admin_client, model, action, ids):
    return admin_client.post(
        f"/admin/api/{model}/", {"action": action, "_selected_action": [str(id_) for id_ in ids]}, follow=True
    )


def test_posts_are_listed_most_uncertain_first(admin_client, posts):
    page = admin_client.get("/admin/api/post/").content.decode()
    assert page.index(">unsure<") < page.index(">harmless<") < page.index(">sure<")
    assert "javascript:" not in page


def test_a_decision_becomes_a_review(admin_client, posts):
    ids = {post.tweet.text: post.id for post in Post.objects.select_related("tweet")}
    page = run_action(admin_client, "post", "hateful", [ids["sure"]])
    assert "1 post reviewed" in page.content.decode()
    run_action(admin_client, "post", "not_hateful", [ids["unsure"]])
    assert {row.text: (row.value, row.source) for row in stream_labelled_rows()} == {
        "sure": (True, "review"),
        "unsure": (False, "review"),
    }
    assert [post.tweet.text for post in list_posts_to_review()] == ["harmless"]


def test_a_post_that_was_reviewed_elsewhere_leaves_the_list(posts):
    add_review(text="UNSURE", is_hate_speech=False)
    assert {post.tweet.text for post in list_posts_to_review()} == {"sure", "harmless"}


def test_known_texts_are_passed_over(posts):
    add_review(text="labelled", is_hate_speech=False)
    again = [FoundPost("Sure ", ""), FoundPost("labelled", "")]
    assert add_posts(posts=again, feed="https://other.example") == Counter(new=0, known=2)


def test_labels_can_be_set_aside_and_restored(admin_client):
    add_review(text="a text", is_hate_speech=True)
    label = Label.objects.get()
    assert "1 labels excluded from training" in run_action(admin_client, "label", "set_aside", [label.id]).content.decode()
    assert list(stream_labelled_rows()) == []
    assert "1 labels restored" in run_action(admin_client, "label", "restore", [label.id]).content.decode()
    assert len(list(stream_labelled_rows())) == 1


@pytest.mark.parametrize(("model", "action"), [("api/label", "set_aside"), ("auth/user", "delete_selected")])
@pytest.mark.parametrize("row", ["x", "-1", "9" * 30, "\u0661"])
def test_an_action_on_what_is_no_row_is_refused(admin_client, model, action, row):
    answer = admin_client.post(f"/admin/{model}/", {"action": action, "_selected_action": row})
    assert answer.status_code == 400
    assert "no row's number" in answer.content.decode()


@pytest.mark.parametrize("model", ["label", "suggestion", "post"])
def test_no_page_reads_all_rows_for_its_filters(admin_client, posts, django_assert_max_num_queries, model):
    for n in range(20):
        add_review(text=f"text {n}", is_hate_speech=True, key="abc"[n % 3], is_trusted=n % 2 == 0)
    with django_assert_max_num_queries(40) as captured:
        page = admin_client.get(f"/admin/api/{model}/").content.decode()
    queries = [query["sql"] for query in captured.captured_queries]
    assert not [query for query in queries if "DISTINCT" in query]
    offered = {"label": ("source=review", "key=b"), "suggestion": ("source=review", "key=b"), "post": ("feed=https%3A",)}
    for link in offered[model]:
        assert link in page
    # Each look-up of a value is one step in an index.
    columns = [field.partition("=")[0] for field in offered[model]]
    steps = [query for query in queries if "LIMIT 1" in query and any(f'"{column}" >' in query for column in columns)]
    assert steps
    with connection.cursor() as cursor:
        for step in steps:
            cursor.execute(f"EXPLAIN QUERY PLAN {step}")
            assert any("USING" in row[-1] and "INDEX" in row[-1] and "SCAN" not in row[-1] for row in cursor.fetchall()), step


@pytest.mark.parametrize("model", ["label", "post", "modelversion", "activation", "trainingrun"])
def test_every_list_opens(admin_client, posts, model):
    add_review(text="a text", is_hate_speech=True)
    assert admin_client.get(f"/admin/api/{model}/").status_code == 200
    assert admin_client.get(f"/admin/api/{model}/add/").status_code == 403


def test_texts_are_escaped(admin_client):
    add_review(text="<script>alert(1)</script>", is_hate_speech=True)
    page = admin_client.get("/admin/api/label/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_who_may_only_look_cannot_act(client, django_user_model):
    from django.contrib.auth.models import Permission

    user = django_user_model.objects.create_user("viewer", password="a password", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_label"))
    client.force_login(user)
    add_review(text="a text", is_hate_speech=True)
    assert client.get("/admin/api/label/").status_code == 200
    run_action(client, "label", "set_aside", [Label.objects.get().id])
    assert Label.objects.get().set_aside_at is None


@pytest.mark.embedded
def test_a_stranger_is_asked_to_log_in(service):
    answer = service.client.get("/admin/", follow_redirects=True)
    assert "id_username" in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
    assert service.client.get("/admin", follow_redirects=True).status_code == 200
    assert service.client.get("/static/admin/css/base.css").status_code == 200
