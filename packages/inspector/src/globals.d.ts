// The web-standard globals that the inspector uses. Declared here, and not taken from a library of types,
// so that the compiler refuses what a browser does not have.
declare const performance: { now(): number };
declare class TextDecoder {
  decode(bytes?: Uint8Array): string;
}
