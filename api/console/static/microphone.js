// Hands what the microphone hears to the page, block by block.
class Microphone extends AudioWorkletProcessor {
  process(inputs) {
    if (inputs[0][0]) this.port.postMessage(inputs[0][0].slice());
    return true;
  }
}
registerProcessor("microphone", Microphone);
