// Notes and the order's form on the operator's desk: sent while they are typed, and never over somebody else's words.
"use strict";

(() => {
  const panel = document.getElementById("panel"), LATER_MS = 1500;
  let form = null, dirty = false, sending = null, timer = 0;

  const state = (text) => { form.querySelector("[data-state]").textContent = text; };

  function values() {
    const read = new FormData(form);
    return {
      kind: read.get("kind") ?? "", unit: read.get("unit"), place: read.get("place"), content: read.get("content"),
      urgent: read.has("urgent"), confidential: read.has("confidential"), version: Number(form.dataset.version),
    };
  }

  // One saving at a time: each is made from the version of the one before.
  async function save() {
    clearTimeout(timer);
    await sending;
    if (!dirty || !form?.isConnected) return true;
    dirty = false;
    const mine = form;
    state(mine.dataset.saving);
    sending = hotline.send(mine.dataset.path, values(), "PUT");
    const answer = await sending;
    if (answer.ok) {
      mine.dataset.version = answer.body.version;
      if (mine === form) state(`${mine.dataset.saved} ${new Date().toLocaleTimeString("en-GB", { timeZone: mine.dataset.zone })}`);
      return true;
    }
    dirty = true;
    if (mine === form) {
      state(mine.dataset.unsaved);
      // What will be refused again can be given up; otherwise nobody would get away from this caller.
      mine.querySelector("[data-reload]").hidden = !(answer.status >= 400 && answer.status < 500 && answer.status !== 429);
      desk.tell(answer.code);
      if (answer.status === 0 || answer.status === 429 || answer.status >= 500) timer = setTimeout(save, 2 * LATER_MS);
    }
    return false;
  }

  function changed() {
    dirty = true;
    state(form.dataset.unsaved);
    clearTimeout(timer);
    timer = setTimeout(save, LATER_MS);
  }

  async function note(event) {
    event.preventDefault();
    // Emptied at once: the next line can be typed while this one is on its way, and comes back if it is refused.
    const field = event.target.elements.text, text = field.value;
    field.value = "";
    field.focus();
    const answer = await hotline.send(event.target.dataset.path, { text });
    desk.tell(answer.code);
    if (answer.ok) await desk.renew();
    else field.value = field.value ? `${text} ${field.value}` : text;
  }

  function equip() {
    form = document.getElementById("form");
    dirty = false;
    if (!form) return;
    form.addEventListener("input", changed);
    form.addEventListener("submit", (event) => { event.preventDefault(); dirty = true; save(); });
    form.querySelector("[data-reload]").addEventListener("click", () => { dirty = false; desk.reload(); });
    document.getElementById("note").addEventListener("submit", note);
  }

  // Another caller is shown only when what was typed for this one is kept.
  desk.leave = async () => !dirty || save();
  panel.addEventListener("chosen", equip);
  addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
  equip();
})();
