// The microphone, how loud it is, the ringing tone. Everything stays in this browser.

// Why there is no microphone: insecure, refused, missing, busy.
export class NoMicrophone extends Error {}

const REASONS = { NotAllowedError: 'refused', SecurityError: 'refused', NotFoundError: 'missing', OverconstrainedError: 'missing' };
// 0.0003 is a quiet room, 0.3 somebody shouting: shown from 0 to 100.
const QUIETEST_DB = -70;
const RING_HZ = 450;
const RING_S = 1;
const RING_EVERY_MS = 5000;

let context = null;

function sounds() {
  context ??= new AudioContext();
  if (context.state === 'suspended') context.resume();
  return context;
}

// Throws NoMicrophone with the reason as message.
export async function openMicrophone(device) {
  if (!navigator.mediaDevices?.getUserMedia) throw new NoMicrophone('insecure');
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  if (device) audio.deviceId = { exact: device };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new NoMicrophone(REASONS[error.name] ?? 'busy');
  }
}

// Calls `show(0..100)` several times a second until the function that is returned is called.
export function watchLevel(stream, show) {
  const source = sounds().createMediaStreamSource(stream);
  const analyser = sounds().createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const rms = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    const db = 20 * Math.log10(Math.max(rms, 1e-6));
    show(Math.round(Math.max(0, Math.min(100, 100 * (1 - db / QUIETEST_DB)))));
  }, 100);
  return () => {
    clearInterval(timer);
    source.disconnect();
    show(0);
  };
}

// Rings until the function that is returned is called.
export function ring() {
  const once = () => {
    const tone = sounds().createOscillator();
    const volume = sounds().createGain();
    tone.frequency.value = RING_HZ;
    volume.gain.value = 0.2;
    tone.connect(volume).connect(sounds().destination);
    tone.start();
    tone.stop(sounds().currentTime + RING_S);
  };
  once();
  const timer = setInterval(once, RING_EVERY_MS);
  return () => clearInterval(timer);
}

export async function devices(kind) {
  const all = await navigator.mediaDevices.enumerateDevices();
  return all.filter((one) => one.kind === kind && one.deviceId);
}
