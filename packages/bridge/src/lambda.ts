export * from "./lambda/environ.ts";
export * from "./lambda/to-lambda.ts";
export * from "./lambda/to-lambda-stream.ts";
