"""Which language a page is in, and how it writes numbers and sentences of the evidence. The evidence itself and the REST interface are English in every language."""

from __future__ import annotations

import re

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from auditapp.languages.sentences import said_in
from auditapp.problems import API_PREFIX

EVIDENCE_LANGUAGE = "en"
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_COMMA_FOR_POINT = str.maketrans(",.", ".,")


class PageLanguage(LocaleMiddleware):
    """A page is in the language that was chosen in its footer, else in the one that the browser asks for; REST is English whatever it asks for."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.path_info.startswith(API_PREFIX):
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path_info.startswith(API_PREFIX):
            return response
        response = super().process_response(request, response)
        translation.deactivate()  # else the thread keeps it for whatever it does next
        return response


def in_english() -> bool:
    """Whether the page is in the language of the evidence."""
    return (translation.get_language() or EVIDENCE_LANGUAGE).startswith(EVIDENCE_LANGUAGE)


def said(sentence: str) -> str:
    """A sentence of the evidence, or a refusal of the engine, in the page's language; as it is where it cannot be given in German."""
    return sentence if in_english() else said_in(sentence, "de")


def numbers(text: str) -> str:
    """Numbers as `automl.printing` writes them ("12,240", "0.927"), in the writing of the page's language ("12.240", "0,927")."""
    return text if in_english() else _NUMBER.sub(lambda number: number[0].translate(_COMMA_FOR_POINT), text)
