import { setTimeout as sleep } from "node:timers/promises";
import { Dealer, type Answer } from "./connections.ts";
import { startWorker, type Worker, type WorkerSettings } from "./worker.ts";

/** Is what a crew is made with. */
export interface CrewSettings extends WorkerSettings {
  /** How many workers there are. */
  readonly workers: number;
  /** How long the first pause is before a worker that ended soon is replaced, in milliseconds. */
  readonly restartDelay: number;
}

/** How soon after it was loaded a worker ends "soon", in milliseconds. */
const soon = 5_000;

/** How often in a row each of the workers may end soon, without a connection, if none of them is left. */
const patience = 8;

/** The longest pause before a worker is replaced, in milliseconds. */
const longestPause = 10_000;

/** Is a number of workers that is kept up, and the connections that are dealt out to them. */
export class Crew {
  /** Resolves when worker after worker has ended soon and for nothing, and none is left. */
  readonly hopeless: Promise<void>;
  #giveUp!: () => void;
  readonly #settings: CrewSettings;
  readonly #dealer = new Dealer();
  /** The workers whose process runs. */
  readonly #running = new Set<Worker>();
  /** Those that are given connections, and since when, on the clock of `performance.now()`. */
  readonly #active = new Map<Worker, number>();
  /** How many in a row ended soon. */
  #failures = 0;
  /** How many of them in a row took no connection: clients may end workers, but not all of it. */
  #vain = 0;
  #reloaded: Promise<void> = Promise.resolve();
  /** The reload that has not begun. */
  #nextReload: Promise<void> | undefined;
  #stopping = false;

  constructor(settings: CrewSettings) {
    this.#settings = settings;
    this.hopeless = new Promise((resolve) => void (this.#giveUp = resolve));
  }

  /** Takes a connection. */
  get pass(): Answer {
    return this.#dealer.pass;
  }

  /** @throws CommandError if the application cannot be loaded */
  async start(): Promise<string> {
    const { label, workers } = await this.#launchAll();
    workers.forEach(this.#activate);
    return label;
  }

  /**
   * Puts new workers, with new code, in the place of the old, unless the new code cannot be loaded. While
   * that is done, the next one waits, and does for all who ask meanwhile.
   */
  reload(): Promise<void> {
    return (this.#nextReload ??= this.#reloaded.then(() => {
      this.#nextReload = undefined;
      return (this.#reloaded = this.#reload());
    }));
  }

  async #reload(): Promise<void> {
    if (this.#stopping) return;
    try {
      const { label, workers } = await this.#launchAll();
      const old = [...this.#active.keys()];
      workers.forEach(this.#activate);
      old.forEach(this.#retire);
      console.log(`Reloaded ${label}`);
    } catch (error) {
      if (this.#stopping) return;
      console.error(`Cannot reload: ${(error as Error).message}; the workers that there are go on`);
    }
  }

  /** Lets the workers know that they will be stopped. */
  warn(): void {
    for (const worker of this.#running) worker.warn();
  }

  /**
   * Stops the workers.
   *
   * @returns 0 if each of them says that all is well, and else 1
   */
  async stop(): Promise<number> {
    this.#stopping = true;
    this.#dealer.dealAll([...this.#active.keys()].map(({ answer }) => answer));
    const running = [...this.#running];
    running.forEach(this.#retire);
    const ends = await Promise.all(running.map(({ ended }) => ended));
    return ends.every(({ code }) => code === 0) ? 0 : 1;
  }

  kill(): void {
    for (const worker of this.#running) worker.kill();
  }

  /** Starts as many workers as there are to be: one first, because what cannot be loaded then fails once. */
  async #launchAll(): Promise<{ label: string; workers: Worker[] }> {
    const workers = [this.#launch()];
    try {
      const label = await workers[0]!.loaded;
      while (workers.length < this.#settings.workers) workers.push(this.#launch());
      await Promise.all(workers.map(({ loaded }) => loaded));
      return { label, workers };
    } catch (error) {
      workers.forEach(this.#retire);
      throw error;
    }
  }

  #launch(): Worker {
    const worker = startWorker(this.#settings, {
      free: () => {
        this.#vain = 0;
        if (this.#active.has(worker)) this.#dealer.add(worker.answer);
      },
      failing: () => this.#lose(worker),
    });
    this.#running.add(worker);
    void worker.ended.then(({ how, left }) => {
      this.#running.delete(worker);
      if (this.#active.has(worker)) console.error(`Worker ${worker.pid} ended with ${how}`);
      this.#lose(worker);
      left.forEach(this.#dealer.pass);
    });
    return worker;
  }

  readonly #activate = (worker: Worker): void => {
    if (this.#stopping) return;
    this.#active.set(worker, performance.now());
    if (this.#running.has(worker)) this.#dealer.add(worker.answer);
    else this.#lose(worker);
  };

  readonly #retire = (worker: Worker): void => {
    this.#active.delete(worker);
    this.#dealer.remove(worker.answer);
    worker.stop();
  };

  #lose(worker: Worker): void {
    this.#dealer.remove(worker.answer);
    const since = this.#active.get(worker);
    if (since === undefined) return;
    this.#active.delete(worker);
    if (performance.now() - since < soon) this.#countFailure();
    else this.#failures = this.#vain = 0;
    void this.#replace();
  }

  #countFailure(): void {
    this.#failures += 1;
    this.#vain += 1;
  }

  /** Starts a worker in the place of one that was lost, after a pause that doubles from time to time. */
  async #replace(): Promise<void> {
    const { workers, restartDelay } = this.#settings;
    if (this.#stopping) return;
    if (this.#vain >= patience * workers && this.#active.size === 0) {
      console.error(`Giving up: ${this.#vain} workers in a row ended soon, and none is left`);
      this.#stopping = true;
      this.#giveUp();
      return;
    }
    const rounds = Math.ceil(this.#failures / workers);
    if (rounds > 0) await sleep(Math.min(restartDelay * 2 ** (rounds - 1), longestPause));
    if (this.#stopping || this.#active.size >= workers) return;
    const worker = this.#launch();
    try {
      await worker.loaded;
    } catch (error) {
      if (!this.#stopping) console.error((error as Error).message);
      this.#countFailure();
      return this.#replace();
    }
    if (this.#active.size < workers) this.#activate(worker);
    else this.#retire(worker);
  }
}
