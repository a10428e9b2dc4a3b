// The board: the graph, and the alert by sound and title.
"use strict";

const graphPlace = document.getElementById("graph");
const plainTitle = document.title;
let graph = null, alerted = "", sound = null;

function draw(series) {
  if (!graphPlace || !window.uPlot) return;
  document.getElementById("graph-empty").hidden = series.length > 1;
  graphPlace.hidden = series.length < 2;
  if (series.length < 2) return;
  const data = [series.map((one) => one[0]), series.map((one) => one[1])];
  // Asked for each time it is drawn: light may become dark.
  const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const line = colour("--accent"), rule = { stroke: colour("--rule"), width: 1 };
  const axis = { stroke: colour("--quiet"), grid: rule, ticks: rule, font: "13px system-ui, sans-serif" };
  if (graph) { graph.setData(data); return; }
  graph = new uPlot({
    width: graphPlace.clientWidth, height: 240, legend: { show: false }, cursor: { show: false },
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), graphPlace.dataset.zone),
    scales: { y: { range: (_, low, high) => [0, Math.max(5, high * 1.1)] } },
    axes: [{ ...axis, values: (self, times) => times.map((at) => new Intl.DateTimeFormat("en-GB", { timeZone: graphPlace.dataset.zone, hour: "2-digit", minute: "2-digit" }).format(at * 1000)) },
           { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200] }],
    series: [{}, { stroke: line, width: 2, fill: () => line() + "22", points: { show: false } }],
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
  hotline.say(facts.dataset.said);
}

document.body.addEventListener("live", take);

const button = document.getElementById("sound");
button?.addEventListener("click", () => {
  sound = sound ? null : new AudioContext();
  button.setAttribute("aria-pressed", String(Boolean(sound)));
  button.textContent = sound ? button.dataset.on : button.dataset.off;
  if (sound) beep();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => graph?.redraw());
addEventListener("resize", () => graph?.setSize({ width: graphPlace.clientWidth, height: 240 }));
take();
