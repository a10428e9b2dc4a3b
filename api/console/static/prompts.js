// Records a sentence with the microphone and puts it into the form as a WAV file. Without a microphone, upload remains.
"use strict";
const worklet = document.currentScript.dataset.worklet;
const RATE = 16000, LONGEST_MS = 60000;

function wav(blocks) {
  const count = blocks.reduce((sum, block) => sum + block.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * count));
  const text = (at, word) => [...word].forEach((letter, n) => view.setUint8(at + n, letter.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * count, true); text(8, "WAVEfmt "); view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); view.setUint16(22, 1, true); view.setUint32(24, RATE, true); view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true); view.setUint16(34, 16, true); text(36, "data"); view.setUint32(40, 2 * count, true);
  let at = 44;
  for (const block of blocks) for (const sample of block) {
    view.setInt16(at, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true); at += 2;
  }
  return new File([view], "recorded.wav", { type: "audio/wav" });
}

function equip(form) {
  const button = form.querySelector("[data-toggle]"), said = form.querySelector("[data-said]");
  const heard = form.querySelector("[data-heard]"), { recording, ready, refused, record, stop } = form.dataset;
  let context = null, stream = null, blocks = [], limit = 0, clock = 0;
  button.hidden = false;

  async function begin() {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
      context = new AudioContext({ sampleRate: RATE });
      await context.audioWorklet.addModule(worklet);
    } catch { await end(); said.textContent = refused; return; }
    blocks = [];
    const node = new AudioWorkletNode(context, "microphone");
    node.port.onmessage = (message) => blocks.push(message.data);
    context.createMediaStreamSource(stream).connect(node);
    button.textContent = stop;
    const tell = () => { said.textContent = `${recording} ${Math.floor(context.currentTime)} s`; };
    tell();
    clock = setInterval(tell, 500);
    limit = setTimeout(finish, LONGEST_MS);
  }
  async function end() {
    clearTimeout(limit);
    clearInterval(clock);
    stream?.getTracks().forEach((track) => track.stop());
    await context?.close();
    stream = context = null;
  }
  async function finish() {
    await end();
    const file = wav(blocks), box = new DataTransfer();
    box.items.add(file);
    form.querySelector("input[type=file]").files = box.files;
    heard.src = URL.createObjectURL(file); heard.hidden = false;
    button.textContent = record; said.textContent = ready;
  }
  button.addEventListener("click", () => (context ? finish() : begin()));
}
if (navigator.mediaDevices?.getUserMedia) document.querySelectorAll("[data-recorder]").forEach(equip);
