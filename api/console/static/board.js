// The board: ticking times, the graph, the alert by sound and title, and what is said when the stream is cut.
"use strict";

const live = document.getElementById("live");
const cut = document.getElementById("cut");
const graphPlace = document.getElementById("graph");
const plainTitle = document.title;
const SAY_EVERY_MS = 10000;
let graph = null, alerted = "", saidAt = 0, said = "", sound = null, cuts = 0;

const length = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds)), two = (n) => String(n).padStart(2, "0");
  const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60;
  return h ? `${h}:${two(m)}:${two(whole % 60)}` : `${m}:${two(whole % 60)}`;
};

function tick() {
  const now = Date.now() / 1000;
  for (const one of document.querySelectorAll("time.tick")) {
    const { since, until, alert } = one.dataset;
    const seconds = since ? now - Number(since) : Number(until) - now;
    one.textContent = length(seconds);
    if (alert) one.closest("div").classList.toggle("alert", seconds >= Number(alert));
  }
}

function draw(series) {
  if (!graphPlace || !window.uPlot) return;
  document.getElementById("graph-empty").hidden = series.length > 1;
  graphPlace.hidden = series.length < 2;
  if (series.length < 2) return;
  const data = [series.map((one) => one[0]), series.map((one) => one[1])];
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--quiet").trim(), line = style.getPropertyValue("--accent").trim();
  const rule = style.getPropertyValue("--rule").trim();
  const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 }, font: "13px system-ui, sans-serif" };
  if (graph) { graph.setData(data); return; }
  graph = new uPlot({
    width: graphPlace.clientWidth, height: 240, legend: { show: false }, cursor: { show: false },
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), graphPlace.dataset.zone),
    scales: { y: { range: (_, low, high) => [0, Math.max(5, high * 1.1)] } },
    axes: [{ ...axis, values: (self, times) => times.map((at) => new Intl.DateTimeFormat("en-GB", { timeZone: graphPlace.dataset.zone, hour: "2-digit", minute: "2-digit" }).format(at * 1000)) },
           { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200] }],
    series: [{}, { stroke: line, width: 2, fill: line + "22", points: { show: false } }],
  }, data, graphPlace);
}

function beep() {
  if (!sound) return;
  for (const [from, pitch] of [[0, 880], [0.25, 660]]) {
    const tone = sound.createOscillator(), gain = sound.createGain();
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0.15, sound.currentTime + from);
    gain.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + from + 0.2);
    tone.connect(gain).connect(sound.destination);
    tone.start(sound.currentTime + from);
    tone.stop(sound.currentTime + from + 0.22);
  }
}

function take() {
  const facts = document.getElementById("facts");
  if (!facts) return;
  const { alerts, alertTitle } = facts.dataset;
  if (alerts && alerts !== alerted) beep();
  alerted = alerts;
  document.title = alerts ? `⚠ ${alertTitle} · ${plainTitle}` : plainTitle;
  document.body.classList.toggle("alerted", Boolean(alerts));
  draw(JSON.parse(facts.dataset.series));
  tick();
  say(facts.dataset.said);
}

// A screen reader hears the depth when it changed, at most every ten seconds.
function say(text) {
  if (text === said || Date.now() - saidAt < SAY_EVERY_MS) return;
  said = text; saidAt = Date.now(); live.textContent = text;
}

document.body.addEventListener("htmx:sseOpen", () => { cut.hidden = true; cuts = 0; });
document.body.addEventListener("htmx:sseError", async () => {
  cut.hidden = false;
  // Signed out meanwhile: the page itself says so.
  if (++cuts % 3 === 0) {
    const answer = await fetch(location.pathname, { redirect: "manual" }).catch(() => null);
    if (answer && answer.type === "opaqueredirect") location.reload();
  }
});
document.body.addEventListener("htmx:sseMessage", take);

const button = document.getElementById("sound");
button?.addEventListener("click", () => {
  sound = sound ? null : new AudioContext();
  button.setAttribute("aria-pressed", String(Boolean(sound)));
  button.textContent = sound ? button.dataset.on : button.dataset.off;
  if (sound) beep();
});
addEventListener("resize", () => graph?.setSize({ width: graphPlace.clientWidth, height: 240 }));
setInterval(tick, 1000);
take();
