// The operator's desk: choose a caller, act by button or key with a reason, and see what changes about the chosen one.
"use strict";

const desk = (() => {
  const line = document.getElementById("line"), panel = document.getElementById("panel");
  const told = document.getElementById("told"), problem = document.getElementById("problem");
  const ask = document.getElementById("ask"), asked = ask.querySelector("form"), help = document.getElementById("keyhelp");
  const keys = document.getElementById("keys"), KEYS = "hotline-desk-keys";
  let chosen = panel.querySelector("[data-shown]")?.dataset.shown ?? "", wanted = chosen, mark = "", act = null, resting = 0;
  let mine = { state: "", line: "" }; // the phone on this page
  const REST_MS = 150;

  const link = (call) => (call ? document.getElementById(`c-${call}`) : null);

  // What is shown of a caller is as old as this. Who is in no line and at no seat: as anything that was written.
  const markOf = (call) => link(call)?.dataset.mark ?? document.getElementById("facts").dataset.written;

  function tell(code, text = "") {
    problem.hidden = !code; problem.textContent = code ? hotline.word(code) : "";
    told.hidden = !text; told.textContent = text;
  }

  function point() {
    for (const one of line.querySelectorAll("[data-call]")) {
      const is = one.dataset.call === chosen;
      one.toggleAttribute("aria-current", is);
      if (is) one.setAttribute("aria-current", "true");
      one.closest("tr, li").classList.toggle("chosen", is);
    }
  }

  // Into a talk goes who has a phone that can ring now: one's own, and nobody else's.
  function equip() {
    const can = mine.state === "ready", needs = document.getElementById("watch-needs");
    for (const one of panel.querySelectorAll("[data-mine]")) one.disabled = !can;
    if (needs) needs.hidden = can;
  }

  // Whoever is chosen last is shown, however fast the keys are pressed.
  async function choose(call) {
    wanted = call;
    if (!(await desk.leave())) { wanted = chosen; return; }
    const answer = wanted === call ? await fetch(`/desk/calls/${call}`).catch(() => null) : null;
    if (wanted !== call) return;
    if (!answer?.ok) { tell(answer ? "call_not_found" : "away"); return; }
    const html = await answer.text();
    if (wanted !== call) return;
    chosen = call; mark = markOf(call);
    // Not woven: what is typed belongs to one caller only.
    panel.innerHTML = html;
    history.replaceState(null, "", `/desk?call=${call}`);
    tell(""); point(); equip(); hotline.tick();
    if (panel.getBoundingClientRect().top > innerHeight / 2) panel.scrollIntoView();
    panel.dispatchEvent(new Event("chosen"));
  }

  async function take() {
    const { said } = document.getElementById("facts").dataset;
    hotline.say(said);
    point();
    const is = markOf(chosen);
    if (chosen && is !== mark) { mark = is; await renew(); }
  }

  async function renew() {
    const place = document.getElementById("call-now");
    if (place) await hotline.load(`/desk/calls/${chosen}/now`, place);
    equip();
  }

  function begin(button) {
    const { needs, about, plain } = button.dataset;
    act = button.dataset;
    tell("");
    if (plain !== undefined) { perform({}); return; }
    const who = panel.contains(button) ? document.getElementById("call-title").firstChild.textContent.trim() : "";
    ask.querySelector("h2").textContent = [button.firstChild.textContent.trim(), who].filter(Boolean).join(" · ");
    ask.querySelector("[data-about]").textContent = about ?? "";
    for (const field of ask.querySelectorAll("[data-field]")) field.hidden = ![needs, "reason"].includes(field.dataset.field);
    asked.elements.reason.value = "";
    asked.elements.reason.setAttribute("list", act.act.startsWith("release_") ? "reasons-release" : "reasons");
    ask.returnValue = "";
    ask.showModal();
    (asked.elements[needs] ?? asked.elements.reason).focus();
  }

  async function perform(body) {
    if (act.to) body.to = act.to;
    if (act.open) body.open = act.open === "true";
    if ("mine" in act) body.phone = mine.line;
    const answer = await hotline.send(act.path, body);
    tell(answer.code, answer.ok ? document.getElementById("done-says").textContent : "");
    await renew();
  }

  ask.addEventListener("close", () => {
    if (ask.returnValue !== "sure") return;
    const body = { reason: asked.elements.reason.value.trim() };
    if (act.needs === "position") body.position = Number(asked.elements.position.value);
    else if (act.needs) body[act.needs] = asked.elements[act.needs].value;
    perform(body);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-act][data-path]"), row = event.target.closest("a[data-call]");
    if (button) begin(button);
    if (row && !event.ctrlKey && !event.metaKey) { event.preventDefault(); choose(row.dataset.call); }
  });

  function step(by) {
    const rows = [...line.querySelectorAll("[data-call]")], at = rows.findIndex((one) => one.dataset.call === wanted);
    const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))];
    if (!next) return;
    next.focus();
    wanted = next.dataset.call;
    // Whoever is only passed by is not looked at: every look is recorded.
    clearTimeout(resting);
    resting = setTimeout(() => choose(wanted), REST_MS);
  }

  const places = { t: () => document.getElementById("note-text"), f: () => document.getElementById("form-content"), l: () => link(chosen) ?? line.querySelector("[data-call]") };
  document.addEventListener("keydown", (event) => {
    if (keys.getAttribute("aria-pressed") !== "true" || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, textarea, select, [data-phone]")) { if (event.key === "Escape") event.target.blur(); return; }
    const key = event.key.toLowerCase(), button = panel.querySelector(`[data-act][data-key="${CSS.escape(key)}"]`);
    if (key === "arrowdown" || key === "arrowup") step(key === "arrowdown" ? 1 : -1);
    else if (key === "?") help.showModal();
    else if (button?.disabled) { problem.hidden = false; problem.textContent = document.getElementById("watch-needs").textContent; }
    else if (button) { if (wanted === chosen) begin(button); } // never on whom the keys have left
    else if (places[key]?.()) places[key]().focus();
    else return;
    event.preventDefault();
  });

  function press(on) {
    keys.setAttribute("aria-pressed", String(on));
    keys.textContent = on ? keys.dataset.on : keys.dataset.off;
    localStorage.setItem(KEYS, on ? "on" : "off");
  }
  keys.addEventListener("click", () => press(keys.getAttribute("aria-pressed") !== "true"));
  document.getElementById("help").addEventListener("click", () => help.showModal());
  if (localStorage.getItem(KEYS) === "off") press(false);
  document.body.addEventListener("live", take);
  document.addEventListener("phone", ({ detail }) => { mine = detail; equip(); });
  mark = markOf(chosen);
  point();
  return { tell, renew, reload: () => choose(chosen), leave: async () => true };
})();
