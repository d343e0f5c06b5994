import { setTimeout as after } from "node:timers/promises";
import type { ParsedResponse } from "@wsgi/testing/parse-responses";
import { randomFrom, type Random } from "../support/random.ts";
import { Connection, CutConnection } from "./connection.ts";
import { abortable, broken, exchangeOf, malformed, sound, type Exchange } from "./exchanges.ts";

/** Says what requests to make. */
export interface Drive {
  readonly port: number;
  readonly requests: number;
  readonly connections: number;
  /** The number of the first request; the same numbers make the same requests. */
  readonly first: number;
  /** The kinds of faults; each is that of one request in so many. */
  readonly faults: readonly string[];
  readonly oneIn: number;
  /** Whether there are to be more, once all are made. Default: no. */
  goesOn?(): boolean;
}

/** Tells what became of the requests. */
export interface Tally {
  /** How many requests without a fault were answered exactly as they are to be. */
  answered: number;
  /** How many requests there were with a fault. */
  faulty: number;
  /** What was answered otherwise. */
  readonly wrong: string[];
  /** What was not answered. */
  readonly lost: string[];
  /** How often the server closed a connection that was idle while the next request was on its way. */
  raced: number;
  /** How often a connection was cut before anything came on it: nobody had accepted it. */
  unaccepted: number;
  /** How often nobody listened. */
  refused: number;
  /** How long each answered request took, in milliseconds. */
  readonly times: number[];
}

/** How often a request is made that nothing comes back to. */
const mostAttempts = 20;

/** How often a connection is tried where nobody listens. */
const mostConnects = 400;

/** Makes requests, as many at a time as there are connections, and sees that the answers are right. */
export async function drive(plan: Drive): Promise<Tally> {
  const tally: Tally = {
    answered: 0,
    faulty: 0,
    wrong: [],
    lost: [],
    raced: 0,
    unaccepted: 0,
    refused: 0,
    times: [],
  };
  let made = 0;
  const visit = async (): Promise<void> => {
    const client = new Client(plan.port, tally);
    while (made < plan.requests || plan.goesOn?.() === true) {
      const number = plan.first + made++;
      const random = randomFrom(number);
      const fault = plan.faults[random(plan.oneIn)];
      if (fault === undefined) await client.behave(exchangeOf(oneOf(sound, random), number));
      else await client.misbehave(fault, number, random);
    }
    client.leave();
  };
  await Promise.all(Array.from({ length: plan.connections }, visit));
  return tally;
}

/** Is somebody who makes one request after another, on one connection as long as that may be. */
class Client {
  readonly #port: number;
  readonly #tally: Tally;
  #connection: Connection | undefined;

  constructor(port: number, tally: Tally) {
    this.#port = port;
    this.#tally = tally;
  }

  /** Makes a request with nothing wrong about it. */
  async behave(exchange: Exchange): Promise<void> {
    const begun = performance.now();
    if (!this.#judge(exchange, await this.#exchange(exchange))) return;
    this.#tally.answered += 1;
    this.#tally.times.push(performance.now() - begun);
  }

  /** Makes a request with a fault, and sees that it fails as it has to. */
  async misbehave(fault: string, number: number, random: Random): Promise<void> {
    this.#tally.faulty += 1;
    if (fault === "abort") {
      const exchange = exchangeOf(oneOf(abortable, random), number);
      await abort(await this.#connect(), exchange, random);
    } else if (fault === "malformed") {
      const response = await this.#exchange({ method: "GET", bytes: malformed(number) });
      const isRefused = !(response instanceof Error) && Math.floor(response.code / 100) === 4;
      if (!isRefused) this.#tally.wrong.push(`${fault} ${number}: ${brief(response)}`);
    } else if (broken.has(fault)) {
      const response = await this.#exchange(exchangeOf(fault, number));
      if (response instanceof CutConnection) return;
      this.#tally.wrong.push(`${fault} ${number}: ${brief(response)}`);
    } else {
      const exchange = exchangeOf(fault, number);
      this.#judge(exchange, await this.#exchange(exchange, fault === "slow"));
    }
  }

  leave(): void {
    this.#connection?.leave();
  }

  /** Tells whether the response is the right one. */
  #judge(exchange: Exchange, response: ParsedResponse | Error): boolean {
    const line = exchange.bytes.toString("latin1", 0, exchange.bytes.indexOf(" HTTP"));
    if (response instanceof CutConnection) {
      this.#tally.lost.push(`${line}: ${response.message}`);
      return false;
    }
    const isRight =
      !(response instanceof Error) &&
      response.code === exchange.code &&
      exchange.body.equals(response.bytes());
    if (!isRight) this.#tally.wrong.push(`${line}: ${brief(response)}`);
    return isRight;
  }

  /** Sends a request, on a new connection if the last one is at its end, until something comes back. */
  async #exchange(
    { method, bytes }: Pick<Exchange, "method" | "bytes">,
    slowly = false,
  ): Promise<ParsedResponse | Error> {
    for (let attempt = 1; ; attempt++) {
      const connection = await this.#connect();
      const isNew = connection.answered === 0;
      try {
        await (slowly ? sendSlowly(connection, bytes) : connection.send(bytes));
        const response = await connection.response(method);
        if (!response.keepsOpen) await connection.ended;
        return response;
      } catch (error) {
        connection.leave();
        if (!(error instanceof CutConnection) || error.received > 0) return error as Error;
        if (attempt === mostAttempts) return error;
        if (isNew) this.#tally.unaccepted += 1;
        else this.#tally.raced += 1;
      }
    }
  }

  async #connect(): Promise<Connection> {
    if (this.#connection?.isOpen === true) return this.#connection;
    for (let attempt = 1; ; attempt++) {
      try {
        return (this.#connection = await Connection.open(this.#port));
      } catch (error) {
        if (attempt === mostConnects) throw error;
        this.#tally.refused += 1;
        await after(50);
      }
    }
  }
}

/** Leaves at a random place: with the request half sent, or the response half read. */
async function abort(
  connection: Connection,
  { bytes, body }: Exchange,
  random: Random,
): Promise<void> {
  // Every response has a hundred bytes besides its body.
  const place = random(bytes.byteLength + body.byteLength + 100);
  await connection.send(bytes.subarray(0, place));
  if (place > bytes.byteLength) await connection.received(place - bytes.byteLength);
  connection.leave(random(2) === 0);
}

async function sendSlowly(connection: Connection, bytes: Buffer): Promise<void> {
  const length = Math.ceil(bytes.byteLength / 4);
  for (let at = 0; at < bytes.byteLength; at += length) {
    await connection.send(bytes.subarray(at, at + length));
    await after(10);
  }
}

/** Chooses. */
function oneOf<T>(choices: readonly T[], random: Random): T {
  return choices[random(choices.length)]!;
}

function brief(response: ParsedResponse | Error): string {
  if (response instanceof Error) return String(response);
  return `${response.status}, ${response.bytes().byteLength} bytes`;
}
