"""The admin's login: wrong passwords are throttled, and nobody can lock an account's owner out."""

import re
from types import SimpleNamespace

import httpx
import limits.storage.memory
import pytest
from django.test import Client

from api.access import throttling

PASSWORD = "a right password"
URL = "/admin/login/"


@pytest.fixture
def clock(monkeypatch, settings, django_user_model):
    """Give the clock of the counts, of which there are none yet; there is an account "owner"."""
    settings.WEB_CONCURRENCY, settings.PROXIES = 1, 1
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the quickest
    clock = SimpleNamespace(now=90_000.0)
    monkeypatch.setattr(limits.storage.memory, "time", SimpleNamespace(time=lambda: clock.now))
    throttling._memory.reset()
    django_user_model.objects.create_superuser("owner", password=PASSWORD)
    yield clock
    throttling._memory.reset()


def log_in(client: Client, password: str, address: str = "203.0.113.7", account: str = "owner"):
    return client.post(URL, {"username": account, "password": password}, headers={"X-Forwarded-For": address})


def fail(times: int, address: str = "203.0.113.7", **account: str) -> None:
    for number in range(times):
        log_in(Client(), f"wrong {number}", address.format(number), **account)


pytestmark = pytest.mark.django_db


def test_it_works(clock):
    client = Client()
    assert log_in(client, "wrong").status_code == 200
    assert log_in(client, PASSWORD).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_after_too_many_wrong_passwords_the_right_one_is_refused(clock):
    fail(40)
    client = Client()
    answer = log_in(client, PASSWORD)
    assert answer.status_code == 429
    assert "Too many failed logins. Try again in 15 minutes." in answer.content.decode()
    assert 0 < int(answer["Retry-After"]) <= 900
    assert client.get("/admin/").status_code == 302  # to the login
    clock.now += int(answer["Retry-After"]) + 1
    assert log_in(client, PASSWORD).status_code == 302


@pytest.mark.parametrize("address", ["203.0.113.7:{}", "[2001:db8::{}]:443", "2001:db8::{}", "::ffff:203.0.113.7"])
def test_a_client_is_counted_however_its_address_is_written(clock, address):
    fail(40, address)
    assert log_in(Client(), PASSWORD, address.format(41)).status_code == 429


def test_an_address_that_tries_many_accounts_is_counted(clock):
    for number in range(20):
        log_in(Client(), "wrong", account=f"account{number}")
    assert log_in(Client(), PASSWORD).status_code == 429


def test_an_account_is_counted_from_all_addresses(clock):
    fail(40, "198.51.100.{}")
    assert log_in(Client(), PASSWORD, "203.0.113.9").status_code == 429
    assert log_in(Client(), "wrong", "203.0.113.9", account="another").status_code == 200


def test_one_address_cannot_lock_an_account(clock):
    fail(60)
    assert log_in(Client(), PASSWORD, "203.0.113.9").status_code == 302


def test_many_addresses_cannot_lock_out_a_browser_that_logged_in_before(clock):
    owner = Client()
    log_in(owner, PASSWORD, "203.0.113.9")
    owner.post("/admin/logout/")
    fail(60, "198.51.100.{}")
    fail(40, "203.0.113.9")  # some of them from the owner's own network
    assert log_in(owner, PASSWORD, "203.0.113.9").status_code == 302


def test_a_browser_that_logged_in_before_may_not_guess_either(clock):
    owner = Client()
    log_in(owner, PASSWORD)
    owner.post("/admin/logout/")
    for _ in range(20):
        log_in(owner, "wrong")
    assert log_in(owner, PASSWORD).status_code == 429


@pytest.mark.parametrize("account", ["owner", "another"])
def test_only_the_accounts_own_cookie_counts(clock, django_user_model, account):
    django_user_model.objects.create_superuser("another", password=PASSWORD)
    thief = Client()
    if account == "another":
        log_in(thief, PASSWORD, account="another")
    else:
        thief.cookies["known_device"] = "owner:1a2b3c:forged"
    for number in range(20):
        thief.post(URL, {"username": "owner", "password": f"{number}"}, headers={"X-Forwarded-For": "203.0.113.7"})
    assert log_in(Client(), PASSWORD).status_code == 429


def test_right_passwords_do_not_count(clock):
    for _ in range(40):
        assert log_in(Client(), PASSWORD).status_code == 302


def test_the_cookie_is_for_the_login_alone(clock, settings):
    settings.SESSION_COOKIE_SECURE = True
    cookie = log_in(Client(), PASSWORD).cookies["known_device"]
    assert (cookie["path"], cookie["httponly"], cookie["secure"], cookie["samesite"]) == (URL, True, True, "Lax")
    assert not log_in(Client(), "wrong").cookies.get("known_device")


def test_names_of_any_kind_are_counted(clock):
    for account in ("", "\N{PILE OF POO}", "a:b/c", "x" * 150, "x" * 1_000, "a\n"):
        assert log_in(Client(), "wrong", account=account).status_code in (200, 429)


def test_the_processes_of_a_service_count_too(service):
    """Without Redis each process allows its share, so 40 are over the limit of both."""
    with httpx.Client(base_url=service.url, timeout=30) as browser:
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', browser.get(URL).text)[1]
        form = {"username": "nobody", "csrfmiddlewaretoken": token}
        statuses = [browser.post(URL, data=form | {"password": f"{number}"}).status_code for number in range(40)]
    assert set(statuses) == {200, 429}
    assert statuses[-1] == 429
