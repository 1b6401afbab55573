// Small comforts. Every page works without this file.
"use strict";

// What only scripts can do is not offered without them.
document.documentElement.classList.add("scripted");

// The error summary takes the focus, so that a screen reader begins there.
const summary = document.querySelector(".error-summary");
if (summary) summary.focus();

// Where tabs are one line, the current one is in it.
const current = document.querySelector(".tabs [aria-current]");
if (current) current.closest(".tabs").scrollLeft = current.offsetLeft - 48;

// Copying a token, a request id or a digest.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
  button.textContent = button.dataset.copied;
});
for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;

// Dropping a file onto the box puts it into the file input inside it.
for (const [kind, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(kind, (event) => {
    const zone = event.target.closest?.(".dropzone");
    if (!zone) return;
    if (kind !== "dragleave") event.preventDefault();
    zone.classList.toggle("over", over);
    if (kind !== "drop" || !event.dataTransfer.files.length) return;
    const input = zone.querySelector("input[type=file]");
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// A file above the limit is named before a byte of it travels; the server checks again.
document.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches("input[type=file][data-limit]")) return;
  const file = input.files[0];
  input.setCustomValidity(file && file.size > Number(input.dataset.limit) ? input.dataset.tooLarge : "");
  input.reportValidity();
});

// One upload at a time: a second press of the button would send the bytes twice. Of a file it is shown how far it is.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]")) return;
  if ("sent" in form.dataset) { event.preventDefault(); return; }
  form.dataset.sent = "";
  const button = form.querySelector("button[type=submit]");
  button.setAttribute("aria-disabled", "true");
  button.textContent = button.dataset.busy || button.textContent;
  if (!form.querySelector("input[type=file]")?.files.length) return;
  event.preventDefault();
  sendFile(form, button);
});
addEventListener("pageshow", (event) => { if (event.persisted && document.querySelector("form[data-sent]")) location.reload(); });

function sendFile(form, button) {
  const bar = document.createElement("progress");
  bar.ariaLabel = button.textContent;
  bar.max = 1;
  button.closest(".actions").after(bar);
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", (event) => { bar.value = event.loaded / event.total; });
  request.addEventListener("error", () => form.submit());
  request.addEventListener("load", () => {
    if (request.status < 400 && request.responseURL !== form.action) { location.assign(request.responseURL); return; }
    // The same page with an answer or with what is to be mended
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    const main = answer.querySelector("main");
    if (!main) { form.submit(); return; }
    document.title = answer.title;
    document.querySelector("main").replaceWith(main);
    (main.querySelector(".error-summary") ?? main).focus();
  });
  request.open("POST", form.action);
  request.send(new FormData(form));
}

// A part that did not come with the page is fetched when it is opened; where that fails its link is still there.
document.addEventListener("toggle", async (event) => {
  const later = event.target.open && event.target.querySelector(":scope > .later:not([aria-busy])");
  if (!later) return;
  later.setAttribute("aria-busy", "true");
  const answer = await fetch(later.dataset.part).catch(() => null);
  later.removeAttribute("aria-busy");
  // The log-in page would be an answer too
  if (answer?.ok && !answer.redirected) later.replaceWith(document.createRange().createContextualFragment(await answer.text()));
}, true);

// Paper shows every table: all details are opened for printing and closed after it.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) { details.open = true; details.dataset.printed = ""; }
});
addEventListener("afterprint", () => {
  for (const details of document.querySelectorAll("details[data-printed]")) { details.open = false; delete details.dataset.printed; }
});

// "Running since 08:01:12 UTC" also says for how long, without asking the server each second.
function tellElapsed() {
  for (const time of document.querySelectorAll("time[data-since]")) {
    const seconds = Math.max(0, Math.round((Date.now() - new Date(time.dateTime)) / 1000));
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const text = parts[0] ? `${parts[0]} h ${parts[1]} min` : parts[1] ? `${parts[1]} min ${parts[2]} s` : `${parts[2]} s`;
    if (!time.dataset.words) time.dataset.words = time.textContent;
    time.textContent = `${time.dataset.words} (${text})`;
  }
}
tellElapsed();
setInterval(tellElapsed, 1000);
