// The leader's desk: big buttons that are there when they can be used, the caller's matter, the browser phone.
"use strict";

(() => {
  const lead = document.getElementById("lead"), seat = lead.dataset.leader;
  const caller = document.getElementById("caller"), problem = document.getElementById("problem");
  const pausing = document.getElementById("pause"), leaving = document.getElementById("leave");
  const handset = document.querySelector("[data-phone]");
  let phone = handset ? "off" : "", mark = null, readySoon = false;

  const now = () => document.getElementById("now");

  function show() {
    const { state } = now().dataset;
    for (const one of lead.querySelectorAll("[data-when]")) one.hidden = !one.dataset.when.split(" ").includes(state);
    for (const one of lead.querySelectorAll("[data-phone-when]")) one.hidden = one.dataset.phoneWhen !== phone;
  }

  async function act(name, reason) {
    const answer = await hotline.send(`/api/seats/${seat}/${name}`, reason ? { reason } : {});
    problem.hidden = answer.ok;
    problem.textContent = answer.ok ? "" : hotline.word(answer.code);
  }

  async function take() {
    const { state, said } = now().dataset;
    show();
    hotline.say(said, state === "ringing");
    // Done was pressed while they talked: ready at once, without the pause for writing.
    if (readySoon && state === "wrap_up") { readySoon = false; act("resume"); }
    if (state !== "talking" && state !== "wrap_up") readySoon = false;
    if (mark === now().dataset.mark) return;
    mark = now().dataset.mark;
    await hotline.load(caller.dataset.place, caller);
  }

  const press = (name) => handset?.querySelector(`[data-act="${name}"]:not([hidden])`)?.click();
  const acts = {
    open: () => act("open"),
    connect: () => press("connect"),
    answer: () => press("answer"),
    done: () => { readySoon = true; press("hang-up"); },
    next: () => act("resume"),
    pause: () => pausing.showModal(),
    leave: () => leaving.showModal(),
  };
  lead.addEventListener("click", ({ target }) => acts[target.closest("[data-act]")?.dataset.act]?.());
  for (const dialog of [pausing, leaving]) dialog.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    dialog.close();
    if (button.dataset.reason) act("pause", button.dataset.reason);
    if ("sure" in button.dataset) act("close");
  });
  document.addEventListener("phone", ({ detail }) => { phone = detail.state; show(); });
  document.body.addEventListener("live", take);
  take();
})();
