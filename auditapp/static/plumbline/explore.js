// "Explore": a picture drawn live in the page, with values under the pointer and an axis that can be moved. Vega is fetched when somebody asks for it, not before.
"use strict";
{
  const words = document.getElementById("explore-words").dataset;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const PLACES = new Set(["label", "place", "offset", "level"]);  // where a mark stands on paper, not what it says
  const live = new Map();
  const made = (tag, properties) => Object.assign(document.createElement(tag), properties);
  let library;

  function vega() {
    library ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = words.vega;
      script.addEventListener("load", done);
      script.addEventListener("error", () => { library = undefined; script.remove(); failed(new Error(script.src)); });
      document.head.append(script);
    });
    return library;
  }

  // What a mark stands for, beside it. Text of the data is only ever text.
  const tip = document.body.appendChild(made("div", { className: "tip", hidden: true }));
  function tell(handler, event, item, value) {
    tip.hidden = !value;
    if (!value) return;
    const rows = Object.entries(value).filter(([name]) => !PLACES.has(name)).map(([name, said]) => `${name}: ${short(said)}`);
    tip.replaceChildren(...[value.label ?? [], rows].flat().map((line) => made("div", { textContent: line })));
    const { clientX: x, clientY: y } = event;
    tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${y + 18 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 10 : y + 18}px`;
  }
  const short = (said) => (Number.isFinite(Number(said)) && said !== "" ? String(Number(Number(said).toPrecision(4))) : said);

  // The picture's own spec, with an axis that answers to a hand: the first layer whose x is a number carries it for all.
  function movable(spec) {
    const layers = spec.layer ?? [spec];
    const numbers = layers.find((layer) => layer.encoding?.x?.type === "quantitative" && layer.encoding.x.field);
    if (numbers) numbers.params = [{ name: "moved", select: { type: "interval", encodings: ["x"], zoom: false }, bind: "scales" }];
    for (const layer of layers) {
      layer.mark = { ...(typeof layer.mark === "string" ? { type: layer.mark } : layer.mark), tooltip: { content: "data" } };
      if (layer.mark.type === "text") layer.mark.clip = false;  // words above the plot
      if (layer.mark.type === "line") layer.mark.point = { opacity: 0, size: 90 };  // a line has one value; its points have theirs
    }
    return numbers ? `moved_${numbers.encoding.x.field}` : undefined;
  }

  // Everything that a drag does can be done by a button.
  const MOVES = {
    in: ([low, high]) => [low + (high - low) / 4, high - (high - low) / 4], out: ([low, high]) => [low - (high - low) / 2, high + (high - low) / 2],
    left: ([low, high]) => [low - (high - low) / 4, high - (high - low) / 4], right: ([low, high]) => [low + (high - low) / 4, high + (high - low) / 4], whole: (_, whole) => whole,
  };

  async function draw(figure, frame) {
    const address = new URL(figure.querySelector("picture img").src);
    address.pathname = address.pathname.replace(/\.svg$/, ".vl.json");
    if (dark.matches) address.searchParams.set("theme", "dark");
    const [answer] = await Promise.all([fetch(address), vega()]);
    if (!answer.ok) throw new Error(answer.status);
    const spec = await answer.json();
    const signal = movable(spec);
    // Vega-Lite warns of fitting a height that follows from its rows, so it is told of the fitting after that
    const { autosize } = spec;
    if (typeof spec.height !== "number") delete spec.autosize;
    // ast: expressions are walked, not compiled, so that the page's policy needs no eval; and no style sheet of its own
    const { view } = await window.vegaEmbed(frame.querySelector(".view"), spec, {
      mode: "vega-lite", ast: true, renderer: "svg", actions: false, defaultStyle: false, tooltip: tell, patch: (drawing) => ({ ...drawing, autosize }),
    });
    const moves = frame.querySelector(".moves");
    moves.hidden = !signal;
    const whole = signal && view.scale("x").domain();
    moves.onclick = (event) => {
      const move = MOVES[event.target.dataset.move];
      if (move) view.signal(signal, move(view.scale("x").domain(), whole)).run();
    };
    return view;
  }

  function frameFor(figure) {
    const frame = made("div", { className: "live" });
    const moves = made("p", { className: "moves", hidden: true });
    for (const move of Object.keys(MOVES)) {
      const button = made("button", { type: "button", className: "btn btn-sm btn-outline-secondary", textContent: words[move] });
      button.dataset.move = move;
      moves.append(button);
    }
    const view = made("div", { className: "view", tabIndex: 0, role: "group", ariaLabel: figure.querySelector("h3").textContent });
    frame.append(moves, view);
    figure.querySelector(".drawn").after(frame);
    return frame;
  }

  async function begin(figure) {
    figure.querySelector(".live")?.remove();
    const frame = frameFor(figure);
    try {
      live.set(figure, { frame, view: await draw(figure, frame) });
    } catch {
      frame.replaceChildren(made("p", { role: "status", textContent: words.failed }));
    }
  }

  function end(figure) {
    const { frame, view } = live.get(figure);
    view.finalize();
    frame.remove();
    live.delete(figure);
    tip.hidden = true;
  }

  async function toggle(button) {
    const figure = button.closest("figure");
    button.setAttribute("aria-busy", "true");
    if (live.has(figure)) end(figure);
    else await begin(figure);
    button.removeAttribute("aria-busy");
    figure.querySelector(".drawn").hidden = live.has(figure);
    button.setAttribute("aria-pressed", live.has(figure));
    button.querySelector(".said").textContent = live.has(figure) ? words.still : words.explore;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.explore:not([aria-busy])");
    if (button) toggle(button);
  });
  dark.addEventListener("change", () => {
    for (const [figure, shown] of live) { shown.view.finalize(); draw(figure, shown.frame).then((view) => { shown.view = view; }); }
  });
  addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
}
