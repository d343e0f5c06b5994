// The two web-standard globals that core uses. Declared here, and not taken from a library of types,
// so that the compiler refuses everything else that is not ECMAScript.
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string;
}
