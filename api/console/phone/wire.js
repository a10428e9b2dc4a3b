// The websocket to our own server, in the shape that JsSIP wants. Every connection shows a ticket of its own.

const TICKETS = '/api/phone/tickets';

export class TicketRefused extends Error {
  // `code` is the API's; a refusal that time does not mend.
  constructor(code) {
    super(code);
    this.code = code;
  }
}

// The server cannot be reached, or is busy: it will pass.
export class Unreachable extends Error {}

// A ticket from our server. Throws TicketRefused, Unreachable.
export async function askForTicket(wanted) {
  const answer = await fetch(TICKETS, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': document.body.dataset.csrf ?? '' },
    body: JSON.stringify(wanted),
  }).catch((error) => {
    throw new Unreachable(error.message);
  });
  if (answer.ok) return answer.json();
  if (answer.status >= 500 || answer.status === 429) throw new Unreachable(`${answer.status}`);
  const problem = await answer.json().catch(() => ({}));
  throw new TicketRefused(problem.code ?? 'unknown');
}

export class Wire {
  via_transport = 'WS';
  sip_uri = 'sip:hotline.invalid;transport=ws';
  url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
  #socket = null;
  #attempt = 0;

  // `first`: the ticket that is there already. `refused(code)` is told when no new one is given.
  constructor(wanted, first, refused) {
    Object.assign(this, { wanted, first, refused, who: first.uri });
  }

  // JsSIP takes no asynchronous functions here.
  connect() {
    this.#begin();
  }

  async #begin() {
    const attempt = (this.#attempt += 1);
    let ticket;
    try {
      ticket = this.first ?? (await askForTicket(this.wanted));
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (error instanceof TicketRefused) this.refused(error.code);
      else this.ondisconnect(true, 0, 'no ticket');
      return;
    }
    this.first = null;
    // Away for so long that this phone is somebody else's now: another one is ours.
    if (ticket.uri !== this.who) { this.refused('moved'); return; }
    if (attempt === this.#attempt) this.#open(ticket.ticket);
  }

  #open(ticket) {
    const socket = new WebSocket(this.url, ['sip', `ticket.${ticket}`]);
    socket.onopen = () => this.onconnect();
    socket.onmessage = ({ data }) => this.ondata(data);
    socket.onclose = ({ wasClean, code, reason }) => this.ondisconnect(!wasClean, code, reason);
    this.#socket = socket;
  }

  disconnect() {
    this.#attempt += 1;
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(message);
    return true;
  }
}
