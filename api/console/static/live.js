// Pages that follow the line: new pieces are woven into the old ones, times tick, a cut is told, acts are sent.
"use strict";

const hotline = (() => {
  const live = document.getElementById("live"), cut = document.getElementById("cut");
  const SAY_EVERY_MS = 10000;
  // This computer's clock may be wrong; times are the server's.
  const ahead = Date.now() / 1000 - Number(cut.dataset.now);
  let said = "", saidAt = 0, saying = 0, cuts = 0;

  const length = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds)), two = (n) => String(n).padStart(2, "0");
    const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60;
    return h ? `${h}:${two(m)}:${two(whole % 60)}` : `${m}:${two(whole % 60)}`;
  };

  function tick() {
    const now = Date.now() / 1000 - ahead;
    for (const one of document.querySelectorAll("time.tick")) {
      const { since, until, alert } = one.dataset;
      const seconds = since ? now - Number(since) : Number(until) - now, text = length(seconds);
      if (one.textContent !== text) one.textContent = text;
      if (alert) one.closest("div, tr").classList.toggle("alert", seconds >= Number(alert));
    }
  }

  // What is the same stays the same element: the focus, a finger that is down and what is open are not lost.
  function weave(old, fresh) {
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    if (old.matches("time.tick")) return;
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const there = wanted.id ? [...old.children].find((one) => one.id === wanted.id) : alike(at, wanted) ? at : null;
      if (!there) { old.insertBefore(wanted, at); continue; }
      if (there === at) at = at.nextSibling;
      else old.insertBefore(there, at);
      if (there.nodeType === Node.ELEMENT_NODE) weave(there, wanted);
      else if (there.data !== wanted.data) there.data = wanted.data;
    }
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
  }
  const alike = (one, other) => one && !one.id && one.nodeType === other.nodeType && one.nodeName === other.nodeName;

  function renew(place, html) {
    const held = document.activeElement, fresh = place.cloneNode(false);
    fresh.innerHTML = html;
    weave(place, fresh);
    if (held !== document.activeElement && held?.isConnected) held.focus({ preventScroll: true });
    tick();
  }

  // A screen reader hears what changed, at most every ten seconds, and always what it came to at last; `now`: at once.
  function say(text, now = false) {
    clearTimeout(saying);
    if (!text || text === said) return;
    const left = now ? 0 : saidAt + SAY_EVERY_MS - Date.now();
    if (left > 0) { saying = setTimeout(say, left, text); return; }
    said = text; saidAt = Date.now(); live.textContent = text;
  }

  // {ok, status, code, body}: `code` is the API's, `away` when it cannot be reached.
  async function send(path, body = {}, method = "POST") {
    const answer = await fetch(path, {
      method, body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRF-Token": document.body.dataset.csrf ?? "" },
    }).catch(() => null);
    if (!answer) return { ok: false, status: 0, code: "away", body: {} };
    const read = await answer.json().catch(() => ({}));
    if (answer.status === 401) location.reload();
    return { ok: answer.ok, status: answer.status, code: answer.ok ? "" : read.code ?? "internal_error", body: read };
  }
  const word = (code) => document.querySelector(`[data-problem-says="${code}"]`)?.textContent ?? document.querySelector('[data-problem-says="away"]')?.textContent ?? code;

  async function load(path, place) {
    const answer = await fetch(path, { headers: { Accept: "text/html" } }).catch(() => null);
    if (answer?.ok) renew(place, await answer.text());
    return answer?.ok ?? false;
  }

  document.body.addEventListener("htmx:sseBeforeMessage", (event) => {
    event.preventDefault();
    renew(event.target, event.detail.data);
    document.body.dispatchEvent(new Event("live"));
  });
  document.body.addEventListener("htmx:sseOpen", () => { cut.hidden = true; cuts = 0; });
  document.body.addEventListener("htmx:sseError", async () => {
    cut.hidden = false;
    // Signed out meanwhile: the page itself says so.
    if (++cuts % 3 === 0) {
      const answer = await fetch(location.pathname, { redirect: "manual" }).catch(() => null);
      if (answer && answer.type === "opaqueredirect") location.reload();
    }
  });
  setInterval(tick, 1000);
  tick();
  return { say, send, word, load, renew, tick };
})();
