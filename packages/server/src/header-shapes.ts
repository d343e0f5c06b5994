import type { Environ } from "@wsgi/core";

/** Makes an environ of one without header fields, which stays as it is, and of the raw fields. */
export type AddFields = (base: Environ, rawHeaders: readonly string[]) => Environ;

/** Names the key of a header field; "" for one that is dropped. */
type KeyOf = (name: string) => string;

/** Is a sequence of field names that clients send again and again, and what makes an environ for it. */
interface Shape {
  readonly names: readonly string[];
  readonly make: AddFields;
}

/** How often a sequence comes before it is worth an effort. */
const trials = 3;
/** Clients of a site send some dozens of sequences; the bounds are for those that make them up. */
const shapesLimit = 256;
const candidatesLimit = 1_024;
const fieldsLimit = 64;

/**
 * Remembers in which order clients send their header fields. For such an order the whole environ is one
 * object literal, which costs a fraction of adding keys one by one.
 */
export class HeaderShapes {
  readonly #keyOf: KeyOf;
  readonly #add: AddFields;
  readonly #shapes = new Map<number, Shape[]>();
  #count = 0;
  #candidates = new Map<string, number>();

  /**
   * @param keyOf - names the key of a field
   * @param add - adds the fields of a sequence that is not known
   */
  constructor(keyOf: KeyOf, add: AddFields) {
    this.#keyOf = keyOf;
    this.#add = add;
  }

  /** Copies an environ, with the fields in it. */
  add(base: Environ, rawHeaders: readonly string[]): Environ {
    const size = sizeOf(rawHeaders);
    const shapes = this.#shapes.get(size);
    if (shapes !== undefined) {
      for (const { names, make } of shapes) {
        if (isOf(names, rawHeaders)) return make(base, rawHeaders);
      }
    }
    const isUsual = rawHeaders.length <= 2 * fieldsLimit;
    if (isUsual && this.#count < shapesLimit) this.#consider(base, size, rawHeaders);
    return this.#add(base, rawHeaders);
  }

  #consider(base: Environ, size: number, rawHeaders: readonly string[]): void {
    const names = rawHeaders.filter((_, i) => i % 2 === 0);
    const sequence = names.join("\n");
    const times = (this.#candidates.get(sequence) ?? 0) + 1;
    if (times < trials) {
      if (this.#candidates.size === candidatesLimit) this.#candidates.clear();
      this.#candidates.set(sequence, times);
      return;
    }
    this.#candidates.delete(sequence);
    const make = compile(Object.keys(base), names.map(this.#keyOf)) ?? this.#add;
    this.#shapes.set(size, [...(this.#shapes.get(size) ?? []), { names, make }]);
    this.#count += 1;
  }
}

/** Makes a number of a sequence, so that few others have the same. */
function sizeOf(rawHeaders: readonly string[]): number {
  let size = rawHeaders.length;
  for (let i = 0; i < rawHeaders.length; i += 2) size = (size * 31 + rawHeaders[i]!.length) | 0;
  return size;
}

function isOf(names: readonly string[], rawHeaders: readonly string[]): boolean {
  if (names.length * 2 !== rawHeaders.length) return false;
  for (let i = 0; i < names.length; i++) if (names[i] !== rawHeaders[2 * i]) return false;
  return true;
}

/**
 * Writes a function that returns one literal.
 *
 * @param base - the keys that the environ has before
 * @param keys - the key of each field in turn, "" if it is dropped
 * @returns the function; undefined if two fields have one key, or if code must not be made of text
 */
function compile(base: readonly string[], keys: readonly string[]): AddFields | undefined {
  const given = keys.filter((key) => key !== "");
  if (new Set([...base, ...given]).size < base.length + given.length) return undefined;
  const property = (key: string, value: string): string => `${JSON.stringify(key)}: ${value}`;
  const fields = [
    ...base.map((key) => property(key, `base[${JSON.stringify(key)}]`)),
    ...keys.flatMap((key, i) => (key === "" ? [] : [property(key, `raw[${2 * i + 1}]`)])),
  ];
  try {
    // oxlint-disable-next-line no-new-func -- the text has names of fields only, as JSON
    return new Function("base", "raw", `return {${fields.join(",")}}`) as AddFields;
  } catch {
    return undefined;
  }
}
