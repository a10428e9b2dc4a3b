// Brings every [data-phone] of the page to life (handset.html). Other scripts listen to its `phone` events.

import { Line } from './line.js';
import { devices, NoMicrophone, openMicrophone, ring, watchLevel } from './sound.js';
import { TicketRefused, Unreachable } from './wire.js';

const NUMBER = 'hotline-phone-number';
const KEYS = /^[0-9*#]$/;
// What is shown for what the server refuses.
const REFUSALS = ['unauthenticated', 'seat_not_found', 'state_conflict', 'not_found', 'no_phone_free'];

class Handset {
  #microphone = null;
  #speaker = '';
  #quiet = []; // what to stop when the microphone, the ringing or the voice ends
  #ringing = null;
  #muted = false;

  constructor(root) {
    this.root = root;
    this.purpose = root.dataset.phone;
    this.line = new Line({ purpose: this.purpose, seat_id: root.dataset.seat ?? '', number: sessionStorage.getItem(NUMBER) ?? '' });
    this.line.addEventListener('state', ({ detail }) => this.#show(detail));
    this.line.addEventListener('voice', ({ detail }) => this.#hear(detail));
    this.line.addEventListener('refused', ({ detail }) => this.#complain(REFUSALS.includes(detail) ? detail : 'away'));
    this.line.addEventListener('ended', ({ detail }) => detail && this.#complain(detail === 'lost' ? 'lost' : 'failed'));
    root.addEventListener('click', (event) => this.#pressed(event.target.closest('button')));
    // A citizen's page has nothing else to type into; at a desk the keys are the desk's unless the phone has the focus.
    (this.purpose === 'citizen' ? document : root).addEventListener('keydown', (event) => KEYS.test(event.key) && this.line.press(event.key));
    root.addEventListener('change', ({ target }) => this.#choose(target));
    this.#show('off');
    this.#connectIfAllowed();
  }

  #part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  #says(key) {
    return this.root.querySelector(`[data-says="${key}"]`)?.textContent ?? key;
  }

  // A leader who allowed the microphone before is there without a click.
  async #connectIfAllowed() {
    if (this.purpose === 'citizen') return;
    const allowed = await navigator.permissions?.query({ name: 'microphone' }).catch(() => null);
    if (allowed?.state === 'granted') await this.#do('connect');
  }

  #pressed(button) {
    if (!button) return;
    if (button.dataset.key) this.line.press(button.dataset.key);
    if (button.dataset.act) this.#do(button.dataset.act);
  }

  async #do(act) {
    this.#complain('');
    try {
      if (act === 'connect' || act === 'dial') await this.#prepare();
      if (act === 'dial') this.line.call(await this.#openMicrophone());
      if (act === 'answer') this.line.answer(await this.#openMicrophone());
      if (act === 'hang-up') this.line.hangUp();
      if (act === 'mute') this.#mute(!this.#muted);
    } catch (error) {
      this.#complain(reasonOf(error));
    }
  }

  async #prepare() {
    await this.#openMicrophone();
    await this.line.connect();
    if (this.line.number) sessionStorage.setItem(NUMBER, this.line.number);
    if (this.purpose === 'citizen') await this.#untilReady();
  }

  #untilReady() {
    if (this.line.state === 'ready') return Promise.resolve();
    return new Promise((ready, fail) => {
      const look = ({ detail }) => {
        if (detail === 'connecting') return;
        this.line.removeEventListener('state', look);
        if (detail === 'ready') ready();
        else fail(new Unreachable(detail));
      };
      this.line.addEventListener('state', look);
    });
  }

  async #openMicrophone(device = '') {
    if (this.#microphone?.active && !device) return this.#microphone;
    const opened = await openMicrophone(device);
    this.#microphone?.getTracks().forEach((track) => track.stop());
    this.#microphone = opened;
    this.#hush();
    this.#watch('microphone', opened, 'spoken');
    await this.#listDevices();
    return opened;
  }

  #watch(name, stream, meter) {
    this.#quiet[name]?.();
    this.#quiet[name] = watchLevel(stream, (level) => (this.#part(meter).value = level));
  }

  async #listDevices() {
    for (const [part, kind] of [['microphone', 'audioinput'], ['speaker', 'audiooutput']]) {
      const choice = this.#part(part);
      const chosen = choice.value;
      const found = await devices(kind);
      choice.replaceChildren(...found.map((one, at) => new Option(one.label || `${at + 1}`, one.deviceId)));
      if (found.some((one) => one.deviceId === chosen)) choice.value = chosen;
      choice.disabled = found.length === 0;
    }
  }

  async #choose(target) {
    try {
      if (target.dataset.part === 'microphone') await this.line.speakInto(await this.#openMicrophone(target.value));
      if (target.dataset.part === 'speaker') await this.#speakFrom(target.value);
    } catch (error) {
      this.#complain(reasonOf(error));
    }
  }

  async #speakFrom(device) {
    this.#speaker = device;
    await this.#part('voice').setSinkId?.(device);
  }

  // An <audio> element plays it: an analyser alone reads silence from a remote stream.
  async #hear(stream) {
    const voice = this.#part('voice');
    voice.srcObject = stream;
    if (this.#speaker) await voice.setSinkId?.(this.#speaker);
    this.#watch('voice', stream, 'heard');
    await voice.play().catch(() => this.#complain('blocked'));
  }

  // A microphone outlives its call, and another may take its place in the middle of one: its own switch is what counts.
  #hush() {
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !this.#muted;
  }

  #mute(on) {
    this.#muted = on;
    this.line.mute(on);
    this.#hush();
    this.root.querySelector('[data-act="mute"]').setAttribute('aria-pressed', String(on));
  }

  #show(state) {
    this.root.dataset.state = state;
    this.#part('state').textContent = this.#says(`is_${state}`);
    for (const button of this.root.querySelectorAll('[data-when]')) button.hidden = !button.dataset.when.split(' ').includes(state);
    for (const key of this.root.querySelectorAll('[data-key]')) key.disabled = state !== 'talking';
    this.#part('number').textContent = this.line.number;
    this.#ringing?.();
    this.#ringing = state === 'ringing' ? ring() : null;
    if (state !== 'talking') {
      this.#mute(false);
      this.#quiet.voice?.();
    }
    this.root.dispatchEvent(new CustomEvent('phone', { bubbles: true, detail: { state, line: this.line.place } }));
  }

  #complain(reason) {
    const problem = this.#part('problem');
    problem.hidden = !reason;
    problem.textContent = reason ? this.#says(`problem_${reason}`) : '';
    this.root.dataset.problem = reason;
  }
}

function reasonOf(error) {
  if (error instanceof NoMicrophone) return error.message;
  if (error instanceof TicketRefused) return REFUSALS.includes(error.code) ? error.code : 'away';
  if (!(error instanceof Unreachable)) console.error(error);
  return 'away';
}

for (const root of document.querySelectorAll('[data-phone]')) root.handset = new Handset(root);
