// Small comforts. Every page works without this file.
"use strict";

// The error summary takes the focus, so that a screen reader begins there.
const summary = document.querySelector(".error-summary");
if (summary) summary.focus();

// Copying a token, a request id or a digest.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
  button.textContent = button.dataset.copied;
});
for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;

// Dropping a file onto the box puts it into the file input inside it.
for (const zone of document.querySelectorAll(".dropzone")) {
  const input = zone.querySelector("input[type=file]");
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
}

// A file above the limit is named before a byte of it travels; the server checks again.
for (const input of document.querySelectorAll("input[type=file][data-limit]")) {
  input.addEventListener("change", () => {
    const file = input.files[0];
    input.setCustomValidity(file && file.size > Number(input.dataset.limit) ? input.dataset.tooLarge : "");
    input.reportValidity();
  });
}

// One upload at a time: a second press of the button would send the bytes twice.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button[type=submit]");
    button.setAttribute("aria-disabled", "true");
    button.textContent = button.dataset.busy || button.textContent;
    form.addEventListener("submit", (again) => again.preventDefault());
  });
}

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
