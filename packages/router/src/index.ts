export * from "./router.ts";
export type { Route } from "./routes.ts";
export type * from "./types.ts";
