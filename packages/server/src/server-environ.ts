import { signalKey, type Environ, type ErrorStream } from "@wsgi/core";

export { signalKey } from "@wsgi/core";

/** Is the key that tells an application that its server is being drained, and only then is there. */
export const drainingKey = "wsgix.draining";

/** Is what every request served here has besides the contract's own keys. */
export interface ServerEnviron extends Environ {
  /**
   * Makes the signal that aborts when the client leaves before the response has ended. Called only by
   * who needs it, because a signal costs more than a small request does.
   */
  [signalKey]: (environ: Environ) => AbortSignal;
  /** Whether the server is being drained: who asks whether it is ready is to hear that it is not. */
  [drainingKey]?: true;
}

/** Is what the requests of one server have in common. */
export interface EnvironDefaults {
  readonly errors: ErrorStream;
  readonly signal: (environ: Environ) => AbortSignal;
  draining: boolean;
}

/** Is what the environs of a connection have in common. */
export interface ConnectionBase {
  readonly defaults: EnvironDefaults;
  readonly environ: ServerEnviron;
}
