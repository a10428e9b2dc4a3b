// One browser phone: connects, registers, calls, is called. Knows nothing of the page; tells it by events.

import JsSIP from 'jssip';
import { askForTicket, Wire } from './wire.js';

// All candidates go into the offer; a browser that still looks for some after this time is not waited for.
const CANDIDATES_MS = 500;
const MEDIA = { iceServers: [], iceCandidatePoolSize: 0 };

// Events: state (detail: off connecting ready away ringing calling talking), refused (detail: the API's code),
// voice (detail: the other side's MediaStream), ended (detail: why; '' = hung up).
export class Line extends EventTarget {
  state = 'off';
  number = '';
  place = ''; // how it is rung
  #agent = null;
  #session = null;
  #service = '';

  constructor(wanted) {
    super();
    this.wanted = wanted;
  }

  // Throws TicketRefused, Unreachable.
  async connect() {
    if (this.#agent) return;
    this.#be('connecting');
    let ticket;
    try {
      ticket = await askForTicket(this.wanted);
    } catch (error) {
      this.#be('off');
      throw error;
    }
    this.number = ticket.number;
    this.place = ticket.line;
    this.wanted.number = ticket.number;
    this.#service = ticket.service;
    const wire = new Wire(this.wanted, ticket, (code) => this.#refuse(code));
    this.#agent = new JsSIP.UA({
      uri: ticket.uri,
      sockets: [wire],
      register: ticket.registers,
      register_expires: 60,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      user_agent: 'hotline browser phone',
    });
    const agent = this.#agent;
    agent.on('connected', () => ticket.registers || this.#idle('ready'));
    agent.on('registered', () => this.#idle('ready'));
    agent.on('registrationFailed', () => this.#idle('away'));
    agent.on('disconnected', () => this.#idle('away'));
    agent.on('newRTCSession', ({ session, originator }) => originator === 'remote' && this.#rung(session));
    agent.start();
  }

  disconnect() {
    this.#agent?.stop();
    this.#agent = null;
    this.#be('off');
  }

  call(microphone) {
    const session = this.#agent.call(this.#service, { mediaStream: microphone, pcConfig: MEDIA });
    this.#follow(session);
    this.#be('calling');
  }

  answer(microphone) {
    this.#session?.answer({ mediaStream: microphone, pcConfig: MEDIA });
  }

  hangUp() {
    if (this.#session && !this.#session.isEnded()) this.#session.terminate();
  }

  press(key) {
    if (this.#session?.isEstablished()) this.#session.sendDTMF(key, { transportType: 'RFC2833', duration: 120 });
  }

  mute(on) {
    if (on) this.#session?.mute({ audio: true });
    else this.#session?.unmute({ audio: true });
  }

  // Another microphone, in the middle of a talk too.
  async speakInto(microphone) {
    const [track] = microphone.getAudioTracks();
    const sender = this.#session?.connection?.getSenders().find((one) => one.track?.kind === 'audio');
    if (sender) await sender.replaceTrack(track);
  }

  statistics() {
    return this.#session?.connection?.getStats();
  }

  #rung(session) {
    if (this.#session) {
      session.terminate({ status_code: 486 });
      return;
    }
    this.#follow(session);
    this.#be('ringing');
  }

  #follow(session) {
    this.#session = session;
    session.on('icecandidate', ({ ready }) => setTimeout(ready, CANDIDATES_MS));
    session.on('confirmed', () => this.#be('talking'));
    session.on('ended', ({ originator, cause }) => this.#over(session, originator === 'system' ? cause : ''));
    session.on('failed', ({ originator, cause }) => this.#over(session, originator === 'local' || cause === 'Canceled' ? '' : cause));
    if (session.connection) this.#listen(session, session.connection);
    session.on('peerconnection', ({ peerconnection }) => this.#listen(session, peerconnection));
  }

  #listen(session, connection) {
    connection.addEventListener('track', ({ streams, track }) => {
      this.#tell('voice', streams[0] ?? new MediaStream([track]));
    });
    connection.addEventListener('connectionstatechange', () => {
      // Nobody tells when the other end has died: its sound stops.
      if (connection.connectionState === 'failed' && !session.isEnded()) session.terminate({ cause: 'lost' });
    });
  }

  #over(session, why) {
    if (this.#session !== session) return;
    this.#session = null;
    this.#tell('ended', why);
    this.#be(this.#agent?.isConnected() ? 'ready' : 'away');
  }

  #refuse(code) {
    this.#agent?.stop();
    this.#agent = null;
    this.#session = null;
    if (code === 'moved') {
      this.#be('off');
      this.connect().catch(() => this.#refuse('away'));
      return;
    }
    this.#tell('refused', code);
    this.#be('off');
  }

  // A talk goes on while the connection to the server is gone for a moment.
  #idle(state) {
    if (!this.#session && this.#agent) this.#be(state);
  }

  #be(state) {
    if (state === this.state) return;
    this.state = state;
    this.#tell('state', state);
  }

  #tell(what, detail) {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }
}
