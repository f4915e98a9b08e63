import threading
import uuid

import httpx


def post(service, tweet, is_hate_speech):
    return service.client.post("/reviewed", json={"tweet": tweet, "is_hate_speech": is_hate_speech})


def history(service, tweet) -> str:
    return service.query(
        "from api.labels.models import Label; from hate_speech_AI.text import fingerprint;"
        f"print([(l.value, l.source, l.is_current) for l in Label.objects.filter("
        f"tweet__fingerprint=fingerprint({tweet!r})).order_by('id')])"
    )


def test_it_works(service):
    tweet = f"a text of {uuid.uuid4()}"
    answer = post(service, tweet, True)
    assert answer.status_code == 200
    assert answer.json() == {"detail": "Tweet added to the database correctly"}
    assert history(service, tweet) == "[(True, 'review', True)]"


def test_the_text_is_stored_as_posted(service):
    tweet = f"  Zoë &amp; \U0001f600\u200b\r\n{uuid.uuid4()}\t"
    post(service, tweet, False)
    found = service.query(
        "from api.labels.models import Tweet; from hate_speech_AI.text import fingerprint;"
        f"print(ascii(Tweet.objects.get(fingerprint=fingerprint({tweet!r})).text))"
    )
    assert found == ascii(tweet)


def test_the_same_text_again_changes_its_label_and_keeps_the_history(service):
    tweet = f"a text of {uuid.uuid4()}"
    post(service, tweet, True)
    post(service, f" {tweet.upper()} ", False)
    assert history(service, tweet) == "[(True, 'review', False), (False, 'review', True)]"


def test_what_changes_nothing_adds_no_row(service):
    tweet = f"a text of {uuid.uuid4()}"
    for _ in range(3):
        assert post(service, tweet, True).status_code == 200
    assert history(service, tweet) == "[(True, 'review', True)]"


def test_a_ticked_checkbox_is_true(service):
    tweet = f"a text of {uuid.uuid4()}"
    assert service.client.post("/reviewed", data={"tweet": tweet, "is_hate_speech": "on"}).status_code == 200
    assert history(service, tweet) == "[(True, 'review', True)]"


def test_sixteen_writers_at_once_lose_and_double_nothing(service):
    mark = uuid.uuid4().hex
    failures = []

    def write(writer):
        with httpx.Client(base_url=service.url, timeout=60) as client:
            for number in range(25):
                # A text of its own, and one that all writers review, each to the other label in turn.
                for tweet, label in ((f"{mark} own {writer} {number}", True), (f"{mark} shared {number}", bool(writer % 2))):
                    answer = client.post("/reviewed", json={"tweet": tweet, "is_hate_speech": label})
                    if answer.status_code != 200:
                        failures.append(answer.text)

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert not failures
    counts = service.query(
        "from api.labels.models import Label, Tweet;"
        f"tweets = Tweet.objects.filter(text__startswith='{mark}');"
        "print(tweets.count(), Label.objects.filter(tweet__in=tweets, is_current=True).count(),"
        " Label.objects.filter(tweet__in=tweets, is_current=True).values('tweet').distinct().count())"
    )
    assert counts == f"{16 * 25 + 25} {16 * 25 + 25} {16 * 25 + 25}"
