export { contextKey, eventKey, type LambdaEnviron } from "./lambda/environ.ts";
export * from "./lambda/to-lambda.ts";
export * from "./lambda/to-lambda-stream.ts";
