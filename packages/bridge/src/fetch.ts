export * from "./fetch/from-fetch.ts";
export * from "./fetch/to-fetch.ts";
