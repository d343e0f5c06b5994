/** Makes numbers from 0 to 1 that look like chance and are the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // Mulberry32, by Tommy Ettinger; in the public domain.
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = randomOf(1);
const noise = Buffer.from(Array.from({ length: 262_144 }, () => 97 + Math.floor(random() * 26)));

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
