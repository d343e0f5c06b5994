import { randomFrom } from "../support/random.ts";

const random = randomFrom(1);
const noise = Buffer.from(Array.from({ length: 262_144 }, () => 97 + random(26)));

/**
 * Makes the bytes that belong to a number, so that both sides know what the other one should send:
 * ASCII text, mostly a few KiB, and for one number in fifty more than buffers hold.
 */
export function payload(seed: number): Buffer {
  const hash = Math.imul(seed, 0x9e3779b1) >>> 0;
  const length = seed % 50 === 0 ? 200_000 : hash % 8_192;
  const from = hash % (noise.length - length);
  return Buffer.concat([Buffer.from(`${seed}\n`), noise.subarray(from, from + length)]);
}
