import { once } from "node:events";
import http from "node:http";
import { text } from "node:stream/consumers";

/** Is what a client was answered. */
export interface Answered {
  readonly text: string;
  /** Whether the connection ends with this response. */
  readonly last: boolean;
}

/** Is clients that send one request after the other, each on a connection that it keeps. */
export interface Clients {
  /** Each client has had a response. */
  readonly begun: Promise<unknown>;
  /** Each client has had the response that it asks for; fails when one of them gets none. */
  readonly ended: Promise<unknown>;
}

/** Starts clients that go on until they get a certain response. */
export function startClients(
  url: string,
  count: number,
  isEnd: (answered: Answered) => boolean,
): Clients {
  const begun: Promise<Answered>[] = [];
  const ended = Array.from({ length: count }, async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const first = ask(url, agent);
    begun.push(first);
    let answered = await first;
    while (!isEnd(answered)) answered = await ask(url, agent);
    agent.destroy();
  });
  return { begun: Promise.all(begun), ended: Promise.all(ended) };
}

async function ask(url: string, agent: http.Agent): Promise<Answered> {
  const [response] = (await once(http.get(url, { agent }), "response")) as [http.IncomingMessage];
  return { text: await text(response), last: response.headers.connection === "close" };
}
