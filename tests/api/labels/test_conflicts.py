"""Writers at once: nobody waits in a circle, and what still conflicts is tried again."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.web.transactions import ConflictError, retry_conflicts

PRIMARY = "IDENTITY_ATTACK"


def test_eight_clients_send_feedback_on_comments_whose_texts_swap(service):
    """Each decision takes two tweets: the one that the comment has now, and the one that it had before."""
    mark, texts = uuid.uuid4().hex, 4
    statuses = []

    def send(client_number: int) -> None:
        with httpx.Client(base_url=service.url, timeout=60) as client:
            for n in range(20):
                text = f"{mark} text {(client_number + n) % texts}"
                body = {"comment": {"text": text}, "attributeScores": {PRIMARY: {"summaryScore": {"value": n % 2}}}}
                names = {"communityId": mark, "clientToken": str(client_number % texts)}
                answer = client.post("/v1alpha1/comments:suggestscore", json=body | names)
                statuses.append(answer.status_code)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    assert statuses == [200] * 160
    # Of each comment, one decision counts. A sum of unlike things would hide a comment with two.
    counting = service.query(
        "from api.labels.models import Label;"
        f"said = Label.objects.filter(tweet__text__startswith='{mark}', superseded_at=None);"
        "pairs = set(said.values_list('reference', 'tweet')); print(len(pairs), len({comment for comment, _ in pairs}))"
    )
    assert counting == f"{texts} {texts}"


WRITER = """
import random
from api.labels.models import Label, Suggestion
from api.labels.selectors import digest_rows
from api.labels.recording import LabelledText
from api.labels.services import add_feedback, add_review, exclude_labels, import_dataset, import_labels, restore_labels
from api.labels.suggestions import decide_suggestions
from api.review_queue import services as queue
from api.review_queue.feeds import FoundPost
from api.review_queue.models import Post
from hate_speech_AI.core import Prediction

chance = random.Random({seed})
texts = ["{mark} text %d" % n for n in range(12)]
labels = Label.objects.filter(tweet__text__startswith="{mark}")
queue.judge = lambda texts, caller, version=None: [Prediction(True, 0.9, 0.5, "v", {{"hate": 0.9}}) for _ in texts]

def some():
    return chance.sample(texts, 6)

def rows():
    return [LabelledText(text, chance.random() < 0.5) for text in some()]

ways = [
    lambda: add_review(text=chance.choice(texts), is_hate_speech=True),
    lambda: add_feedback(rows=rows(), source="x", comment=("c", str(chance.randrange(3))), key="t"),
    lambda: add_feedback(rows=rows(), source="x", comment=("c", str(chance.randrange(3))), key="u", is_trusted=False),
    lambda: decide_suggestions(suggestions=Suggestion.objects.filter(key="u"), is_accepted=True, who="a test"),
    lambda: import_labels(rows=rows(), source="import:x"),
    lambda: import_dataset(rows=rows(), source="import:y"),
    lambda: exclude_labels(labels),
    lambda: restore_labels(labels),
    lambda: queue.add_posts(posts=[FoundPost(text + " post", "") for text in some()], feed="f"),
    lambda: queue.review_posts(posts=Post.objects.filter(tweet__text__startswith="{mark}"), is_hate_speech=False),
    queue.order_posts,
    digest_rows,
]
for _ in range(5):
    for way in chance.sample(ways, len(ways)):
        way()
"""
# Of each tweet and label name, the label of the highest rank is current, of those that count.
CURRENT = """
from api.labels.models import Label
said = Label.objects.filter(tweet__text__startswith="{mark}")
best = {{}}
for label in said.filter(set_aside_at=None, superseded_at=None).order_by("id"):
    rank = (label.source.startswith("review"), label.id)
    best[label.tweet_id, label.name] = max(rank, best.get((label.tweet_id, label.name), rank))
print({{id_ for _, id_ in best.values()}} == set(said.filter(is_current=True).values_list("id", flat=True)), len(best) > 0)
"""


@pytest.mark.slow
def test_all_ways_of_writing_at_once(service):
    mark = uuid.uuid4().hex

    def run(seed: int):
        return service.manage("shell", "--no-imports", "-c", WRITER.format(mark=mark, seed=seed))

    with ThreadPoolExecutor(6) as pool:
        for done in pool.map(run, range(6)):
            assert done.returncode == 0, done.stderr
    service.query(
        "from api.labels.services import restore_labels; from api.labels.models import Label;"
        f"restore_labels(Label.objects.filter(tweet__text__startswith='{mark}'))"
    )
    assert service.query(CURRENT.format(mark=mark)) == "True True"


# Two transactions that take two rows in opposite orders, and two that insert the same row: each pair meets for certain.
MEETING = """
import threading
from django.db import connection
from api.labels.models import Tweet
from api.web.transactions import retry_conflicts

rows = ["%064x" % n for n in ({first}, {first} + 1)]
Tweet.objects.bulk_create(Tweet(fingerprint=row, text="x") for row in rows)
meet, runs = threading.Barrier(2), []

def lock(row):
    Tweet.objects.select_for_update().get(fingerprint=row)

@retry_conflicts
def cross(first, second):
    runs.append("cross")
    lock(first)
    if runs.count("cross") <= 2:
        meet.wait(20)
    lock(second)

inserted, waiting = threading.Event(), threading.Event()

@retry_conflicts
def insert(is_first):
    runs.append("insert")
    if not is_first:
        inserted.wait(20)
    if not Tweet.objects.filter(fingerprint="%064x" % ({first} + 2)).exists():
        if not is_first:
            waiting.set()
        Tweet.objects.create(fingerprint="%064x" % ({first} + 2), text="x")
    if is_first:
        inserted.set()
        waiting.wait(20)

def in_threads(function, *calls):
    def run(arguments):
        function(*arguments)
        connection.close()
    threads = [threading.Thread(target=run, args=(arguments,)) for arguments in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

in_threads(cross, rows, rows[::-1])
in_threads(insert, (True,), (False,))
print(runs.count("cross"), runs.count("insert"))
"""


def test_a_deadlock_and_a_simultaneous_insert_are_tried_again(service):
    if "DATABASE_URL" not in service.environment:
        pytest.skip("SQLite has one writer at a time")
    assert service.query(MEETING.format(first=uuid.uuid4().int)) == "3 3"


@pytest.mark.django_db(transaction=True)
def test_what_conflicts_each_time_is_given_up_and_another_error_is_not_tried_again(monkeypatch):
    from django.db import IntegrityError, OperationalError

    monkeypatch.setattr("api.web.transactions.time.sleep", lambda seconds: None)
    calls = []

    class DeadlockError(Exception):
        sqlstate = "40P01"

    @retry_conflicts
    def conflict():
        calls.append("conflict")
        raise OperationalError from DeadlockError()

    @retry_conflicts
    def fail():
        calls.append("fail")
        raise IntegrityError("another reason")

    with pytest.raises(ConflictError):
        conflict()
    with pytest.raises(IntegrityError):
        fail()
    assert (calls.count("conflict"), calls.count("fail")) == (5, 1)
