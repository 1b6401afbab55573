"""A page in German: asked for by the browser or chosen at its foot; its numbers and its English sentences."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from auditapp.models import Run

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}


def text_of(markup: str) -> str:
    return re.sub(r"<[^>]+>", "", markup)


def test_a_page_is_in_the_language_that_the_browser_asks_for(client: Client) -> None:
    response = client.get("/help", headers=GERMAN)
    body = response.content.decode()
    assert '<html lang="de">' in body
    assert "<h1>Hilfe</h1>" in body
    assert "Accept-Language" in response["Vary"]
    assert "<h1>Help</h1>" in client.get("/help").content.decode()


def test_the_choice_at_the_foot_of_a_page_is_kept(client: Client) -> None:
    page = client.get("/help").content.decode()
    assert '<button class="plain" type="submit" name="language" value="de" lang="de">Deutsch</button>' in page
    response = client.post("/language", {"language": "de"}, headers={"Referer": "http://testserver/help"})
    assert response["Location"] == "http://testserver/help"
    assert "<h1>Hilfe</h1>" in client.get("/help").content.decode()
    client.post("/language", {"language": "en"})
    assert "<h1>Help</h1>" in client.get("/help", headers=GERMAN).content.decode()


def test_nobody_is_sent_elsewhere_by_the_choice(client: Client) -> None:
    response = client.post("/language", {"language": "de", "next": "https://example.org/"}, headers={"Referer": "https://example.org/"})
    assert response["Location"] == "/"


def test_an_answer_to_a_form_offers_no_change(client: Client) -> None:
    assert 'name="language"' not in client.post("/login", {"username": "x", "password": "y"}).content.decode()


def test_results_in_german_write_numbers_in_german_and_mark_english_sentences(page: Client, finished_run: Run) -> None:
    body = page.get(f"/runs/{finished_run.pk}/results/fairness", headers=GERMAN).content.decode()
    text = text_of(body)
    assert "Impact-Ratio" in text
    assert re.search(r"\d\d,\d+ % \(\d\d,\d+ bis \d\d,\d+\)", text)
    assert not re.search(r"\d\.\d+ % \(", text)
    summary = page.get(f"/runs/{finished_run.pk}/results", headers=GERMAN).content.decode()
    assert '<p><span lang="en">' in summary  # a finding that this version does not make
    assert ' lang="en"' not in page.get(f"/runs/{finished_run.pk}/results").content.decode().replace('<html lang="en">', "")


def test_a_poll_is_answered_anew_in_another_language_only(page: Client, waiting_run: Run) -> None:
    address = f"/runs/{waiting_run.pk}/live"
    german = page.get(address, headers=GERMAN)
    assert page.get(address)["ETag"] != german["ETag"]
    assert page.get(address, headers=GERMAN | {"If-None-Match": german["ETag"]}).status_code == 304
