"""What an error says."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _open(settings):
    settings.OPEN_ACCESS = True


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/models/none", "There is no such version. GET /models lists them."),
        ("/models/none/report", "There is no such version. GET /models lists them."),
        ("/train/99999", "There is no such training."),
        ("/nowhere", "There is nothing at this address. /docs lists what there is."),
    ],
)
def test_what_is_not_there_is_said_in_the_callers_words(client, path, detail):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"detail": detail, "code": "not_found"}


@pytest.mark.parametrize("path", ["/docs", "/schema", "/", "/predict"])
def test_an_error_is_json_whatever_the_view_answers_with(client, path):
    answer = client.put(path)
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["code"] == "method_not_allowed"
