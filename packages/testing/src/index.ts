export * from "./applications.ts";
export * from "./call.ts";
export * from "./environ-for.ts";
