"""`make pictures`: the pictures of docs/, made anew from a real `make run` home: the sample's audit in Chromium, page one of its PDF, and two drawings for docs/statistics.md.

``--home DIR --link URL``: a home that serves already, and a login link of it; without them one is started, and ended.
``--every DIR``: instead, every page of the newest audit and of the wizard as a whole, in both themes and as wide as a phone, for somebody who looks at each.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import urllib.parse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from PIL import Image

from auditapp.report.glyphs import FONTS
from tests.browser import running_chromium
from tests.fresh_clone import ROOT, MakeRun, free_port

PICTURES = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 800
MOST_BYTES = 120 * 1024
RUN_SECONDS = 900


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the pictures of docs/ anew.")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--link")
    parser.add_argument("--every", type=Path, metavar="DIR")
    options = parser.parse_args()
    PICTURES.mkdir(exist_ok=True)
    if options.every is None:
        draw_explanations()
    with ExitStack() as stack:
        home, link = options.home, options.link
        if home is None:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plp-"))) / "home"
            link = _start(stack, home)
        browser = stack.enter_context(running_chromium())
        if options.every is not None:
            photograph_every_page(browser, link, options.every)
            return
        _page_one(home / "sample" / "audit.pdf")
        _photograph(browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light"), link)
    for path in sorted(PICTURES.glob("*.png")):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


def _start(stack: ExitStack, home: Path) -> str:
    import signal

    running = MakeRun(ROOT, home, free_port())
    stack.callback(running.end, signal.SIGINT)
    link = running.until_printed(r"login link +(http\S+)", RUN_SECONDS)[1]
    running.until_printed("Ctrl-C stops", 30)
    return link


def _photograph(context: Any, link: str) -> None:
    """The pages of the tutorial, in its order."""
    page = context.new_page()
    page.goto(link)
    base = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(link))
    results = base + page.get_by_role("link", name="Sample: loan applications").first.get_attribute("href").removesuffix("/results") + "/results"
    page.goto(base + "/new")
    page.get_by_role("button", name="Use the sample data").click()
    page.get_by_role("heading", name="What is in each column?").wait_for(timeout=60_000)
    _shoot(page, "columns")
    page.goto(results)
    _shoot(page, "results")
    page.goto(results + "/fairness")
    page.locator("figure.chart img").first.scroll_into_view_if_needed()
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_function("[...document.querySelectorAll('figure.chart img')].slice(0, 1).every(image => image.complete && image.naturalWidth > 50)")
    _shoot(page, "fairness")
    page.goto(results.removesuffix("/results") + "/report")
    _shoot(page, "report")


LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": WIDTH, "height": HEIGHT}, "color_scheme": "light"}, "dark": {"viewport": {"width": WIDTH, "height": HEIGHT}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 780}, "color_scheme": "light", "device_scale_factor": 2},
}
SECTIONS = ("summary", "leaderboard", "performance", "explanation", "fairness", "mitigation", "weaknesses", "reasons", "data", "laws", "not-measured", "provenance")
AROUND = ("/", "/new", "/verify", "/help", "/api/docs", "/compare", "/settings/tokens", "/settings/members", "/settings/webhooks", "/settings/account", "/settings/ledger", "/settings/workspace")


def photograph_every_page(browser: Any, link: str, folder: Path) -> None:
    """One picture a page and look, from its top to its foot, pictures in it drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    base = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(link))
    first = browser.new_context()
    page = first.new_page()
    page.goto(link)
    run = page.get_by_role("link", name="Results").first.get_attribute("href").removesuffix("/results")
    # The wizard with the answers of that run
    page.goto(base + run)
    with page.expect_navigation():
        page.get_by_role("button", name="Another audit with these answers").click()
    wizard = page.url.removeprefix(base).rsplit("/", 1)[0]
    while "/check" not in page.url:
        with page.expect_navigation():
            page.get_by_role("button", name="Continue").click()
    steps = [f"{wizard}/{step}" for step in ("columns", "target", "outcome", "attributes", "groups", "budget", "check")]
    of_run = [run, *(f"{run}/results/{section}" for section in SECTIONS), f"{run}/report", f"{run}/statements", f"{run}/statements/1", f"{run}/shares"]
    cookies = first.cookies()
    for name, look in LOOKS.items():
        context = browser.new_context(**look)
        context.add_cookies(cookies)
        page = context.new_page()
        for address in [*AROUND, *steps, *of_run]:
            page.goto(base + address)
            for picture in page.locator("figure.chart img").all():
                picture.scroll_into_view_if_needed()
            page.wait_for_load_state("networkidle")
            page.evaluate("window.scrollTo(0, 0)")
            page.screenshot(path=folder / f"{address.replace(run, 'run').replace(wizard, 'new').strip('/').replace('/', '-') or 'home'}.{name}.png", full_page=True)
        context.close()


def _shoot(page: Any, name: str) -> None:
    page.wait_for_load_state("networkidle")
    _keep(name, lambda path: page.screenshot(path=path))


def _page_one(pdf: Path) -> None:
    def draw(path: Path) -> None:
        subprocess.run(["pdftoppm", "-png", "-singlefile", "-f", "1", "-r", "96", str(pdf), str(path.with_suffix(""))], check=True)

    _keep("report-page-one", draw)


def _keep(name: str, make: Callable[[Path], object]) -> None:
    """The picture in few enough colours to be small; a page has not many."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.png"
        make(path)
        picture = Image.open(path).convert("RGB")
        for colours in (128, 64, 32, 16):
            picture.quantize(colours).save(PICTURES / f"{name}.png", optimize=True)
            if (PICTURES / f"{name}.png").stat().st_size <= MOST_BYTES:
                return
    raise SystemExit(f"{name}.png is larger than {MOST_BYTES:,} bytes in 16 colours")


def draw_explanations() -> None:
    """Two drawings from made-up tables, computed by the functions of the audit: what an interval says, and when something is inconclusive."""
    _draw("interval", _intervals())
    _draw("inconclusive", _ratios())


def _intervals() -> dict[str, Any]:
    from automl.audit.intervals import wilson

    rows = []
    for n in (20, 100, 500, 5000):
        low, high = wilson(n * 3 // 10, n)
        rows.append({"what": f"{n * 3 // 10:,} of {n:,}", "value": 30, "low": 100 * float(low), "high": 100 * float(high)})
    return _spec(rows, "People selected, %, with the 95 % interval", [0, 60], None)


def _ratios() -> dict[str, Any]:
    from automl.audit.intervals import mover_ratio

    rows = []
    for says, (selected, n), (of, total) in (
        ("below the limit: 300 of 1,000 beside 500 of 1,000", (300, 1000), (500, 1000)), ("inconclusive: 9 of 30 beside 15 of 30", (9, 30), (15, 30)),
        ("not below: 480 of 1,000 beside 500 of 1,000", (480, 1000), (500, 1000)),
    ):
        low, high = mover_ratio(selected, n, of, total)
        rows.append({"what": says, "value": (selected / n) / (of / total), "low": float(low), "high": float(high)})
    return _spec(rows, "Ratio of the two rates, with the 95 % interval; the line is the limit that the person chose, 0.8", [0, 1.4], 0.8)


def _spec(rows: list[dict[str, Any]], title: str, domain: list[float], limit: float | None) -> dict[str, Any]:
    y = {"field": "what", "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 400, "ticks": False, "domain": False}}
    x = {"type": "quantitative", "scale": {"domain": domain}, "axis": {"title": title}}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "rule", "strokeWidth": 3, "color": "#3b6fb5"}, "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}}},
        {"mark": {"type": "point", "filled": True, "size": 90, "color": "#1b3a66"}, "encoding": {"y": y, "x": {"field": "value", **x}}},
    ]
    if limit is not None:
        layers.append({"data": {"values": [{"limit": limit}]}, "mark": {"type": "rule", "strokeDash": [5, 4], "color": "#8a1c1c"}, "encoding": {"x": {"field": "limit", **x}}})
    return {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "data": {"values": rows}, "width": 560, "height": {"step": 34}, "layer": layers,
            "config": {"axis": {"labelFontSize": 14, "titleFontSize": 14}}}


def _draw(name: str, spec: dict[str, Any]) -> None:
    import vl_convert

    from automl.chart_theme import theme

    vl_convert.register_font_directory(str(FONTS))
    _keep(name, lambda path: path.write_bytes(vl_convert.vegalite_to_png(spec, config={**theme(), "background": "white"}, scale=1.5)))


if __name__ == "__main__":
    main()
