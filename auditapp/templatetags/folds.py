"""`{% folded NAME WORDS [css] [unfolded] %} ... {% endfolded %}`: a part of a long page, written with the page while there is room and fetched when it is opened after that.

A page stays readable on a slow line whatever the run has measured, and nothing is lost: without scripts the part is a link to the same page with that part in it.
The addresses: ``?part=NAME`` is the part alone, ``?open=NAME`` the page with it, ``?to=ANCHOR`` the page with whatever part holds the anchor. Parts within parts are named PARENT/NAME.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from django import template
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _

register = template.Library()

SEEN, CLOSED = 64 * 1024, 40 * 1024
"""Characters that a page carries from the start: of parts that are seen at once, and of those that are closed. A part that does not fit any more, and all that come after it, are fetched."""


class Folds:
    """What this answer holds of the page's folded parts."""

    def __init__(self, request: HttpRequest) -> None:
        self.path = request.path
        self.room = {True: SEEN, False: CLOSED}
        """Left for parts that are unfolded, and for those that are not."""
        self.part, self.open, self.to = request.GET.get("part"), request.GET.get("open"), request.GET.get("to")
        self.found: SafeString | None = None
        """The one part that was asked for alone."""


def render_with_folds(request: HttpRequest, name: str, context: Mapping[str, object]) -> HttpResponse:
    """The page, or the one part of it that the address asks for."""
    folds = Folds(request)
    response = render(request, name, {**context, "folds": folds})
    if folds.part is None:
        return response
    if folds.found is None:
        raise Http404
    return HttpResponse(folds.found)


class FoldNode(template.Node):
    def __init__(self, nodelist: NodeList, name: FilterExpression, words: FilterExpression, css: str, unfolded: bool) -> None:
        self.nodelist, self.name, self.words, self.css, self.unfolded = nodelist, name, words, css, unfolded

    def render(self, context: template.Context) -> SafeString:
        folds: Folds | None = context.get("folds")
        path = "/".join(filter(None, (context.get("fold_path"), str(self.name.resolve(context)))))
        with context.push(fold_path=path):
            if folds is None:
                return self._written(context, path, self.nodelist.render(context), opened=False)
            if folds.part is not None:
                return self._alone(context, folds, path)
            return self._with_the_page(context, folds, path)

    def _alone(self, context: template.Context, folds: Folds, path: str) -> SafeString:
        if folds.part == path:
            folds.part = None  # what is folded within is written by the usual rule
            folds.found = self.nodelist.render(context)
            folds.part = path
        elif str(folds.part).startswith(f"{path}/"):
            self.nodelist.render(context)
        return SafeString("")

    def _with_the_page(self, context: template.Context, folds: Folds, path: str) -> SafeString:
        wanted = folds.open is not None and f"{folds.open}/".startswith(f"{path}/")
        if not folds.room[self.unfolded] and not wanted and not folds.to:
            return self._fetched(context, folds, path)
        before = dict(folds.room)
        content = self.nodelist.render(context)
        wanted = wanted or (bool(folds.to) and f'id="{folds.to}"' in content)
        # What is folded within has been counted there
        own = len(content) - sum(before.values()) + sum(folds.room.values())
        folds.room[self.unfolded] -= own
        if folds.room[self.unfolded] < 0:
            folds.room[self.unfolded] = 0
            if not wanted:
                folds.room[not self.unfolded] = before[not self.unfolded]
                return self._fetched(context, folds, path)
        return self._written(context, path, content, opened=wanted)

    def _written(self, context: template.Context, path: str, content: SafeString, *, opened: bool) -> SafeString:
        return content if self.unfolded else self._details(context, path, content, SafeString(" open") if opened else SafeString(""))

    def _fetched(self, context: template.Context, folds: Folds, path: str) -> SafeString:
        words = format_html(
            '<p class="later" data-part="{}?part={}"><a href="?open={}#{}">{}</a></p>',
            folds.path, quote(path, safe=""), quote(path, safe=""), _anchor(path), _("Load this part"))
        return self._details(context, path, words, SafeString(""), "panel" if self.unfolded else None)

    def _details(self, context: template.Context, path: str, content: SafeString, opened: SafeString, css: str | None = None) -> SafeString:
        looks = self.css if css is None else css
        return format_html('<details{} id="{}"{}><summary>{}</summary>\n{}</details>',
                           format_html(' class="{}"', looks) if looks else "", _anchor(path), opened, self.words.resolve(context), content)


def _anchor(path: str) -> str:
    return f"fold-{slugify(path.replace('/', '-'))}"


@register.tag
def folded(parser: Parser, token: Token) -> FoldNode:
    _tag, name, words, *looks = token.split_contents()
    nodelist = parser.parse(("endfolded",))
    parser.delete_first_token()
    unfolded = "unfolded" in looks
    return FoldNode(nodelist, parser.compile_filter(name), parser.compile_filter(words), " ".join(look for look in looks if look != "unfolded"), unfolded)
