export type { AddressOptions } from "./address.ts";
export { drainingKey, signalKey, type ServerEnviron } from "./server-environ.ts";
export type { Drained, DrainOptions } from "./drain.ts";
export { nodeListener, type ListenerOptions } from "./listener.ts";
export { defaultLimits, type Limits, type RequestLimits } from "./limits.ts";
export { makeServer, serve, type ServeOptions, type WsgiServer } from "./serve.ts";
export { untilSignal, untilStopped, type StopOptions } from "./stop.ts";
export { upgradeKey, type Upgrade, type UpgradeEnviron } from "./upgrade.ts";
