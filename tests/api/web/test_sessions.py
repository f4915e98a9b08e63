"""Sessions are where people log in, and nowhere else: looking one up would cost each prediction a twentieth of its time."""

import pytest


@pytest.mark.parametrize("path", ["/", "/healthz", "/predict", "/v1/moderations", "/administration"])
def test_the_api_and_its_pages_have_no_session(client, path):
    request = client.get(path).wsgi_request
    for attribute in ("session", "_messages"):
        assert not hasattr(request, attribute), attribute


def test_the_admin_has_sessions_accounts_and_messages(client, db):
    request = client.get("/admin/login/").wsgi_request
    for attribute in ("session", "user", "_messages"):
        assert hasattr(request, attribute), attribute


def test_an_account_logs_in(client, django_user_model):
    django_user_model.objects.create_superuser("moderator", password="a password")
    said = {"username": "moderator", "password": "a password", "next": "/admin/"}
    assert client.get("/admin/").status_code == 302
    assert client.post("/admin/login/", said).headers["location"] == "/admin/"
    assert b"moderator" in client.get("/admin/").content
    assert client.post("/admin/logout/").status_code == 200
    assert client.get("/admin/").status_code == 302
