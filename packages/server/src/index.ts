export { signalKey, type ServerEnviron } from "./environ.ts";
export { nodeListener, type ListenerOptions } from "./listener.ts";
export { defaultLimits, type Limits, type RequestLimits } from "./limits.ts";
export { makeServer, serve, type ServeOptions, type WsgiServer } from "./serve.ts";
