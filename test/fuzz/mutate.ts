import type { Random } from "../support/random.ts";

type Mutation = (text: string, random: Random, corpus: readonly string[]) => string;

/** What may get in: signs of the grammar, and what servers have read in more than one way. */
const inserts = (
  "\r\n|\n|\r|\0| |\t|:|,|;|\x0b|\x7f|\xff|0|1|-1|+1|0x|00|chunked|, chunked|close|keep-alive|" +
  "\r\n\r\n|HTTP/1.0|HTTP/1.1|HTTP/1.2|GET |POST |HEAD |/|//|http://a|%00|%|#|?|*|" +
  "\r\nContent-Length: 5|\r\nContent-Length: 0|\r\nTransfer-Encoding: chunked|\r\nHost: a|" +
  "\r\nHost: b|\r\nConnection: close|\r\nExpect: 100-continue|\r\n X: y|_|-|é"
).split("|");

const mutations: readonly Mutation[] = [
  function duplicate(text, random) {
    const [from, to] = range(text, random);
    return text.slice(0, to) + text.slice(from, to) + text.slice(to);
  },
  function remove(text, random) {
    const [from, to] = range(text, random);
    return text.slice(0, from) + text.slice(to);
  },
  function insert(text, random) {
    const at = random(text.length + 1);
    return text.slice(0, at) + inserts[random(inserts.length)]! + text.slice(at);
  },
  function replace(text, random) {
    const at = random(text.length + 1);
    return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
  },
  function swap(text, random) {
    const lines = text.split("\r\n");
    const [one, other] = [random(lines.length), random(lines.length)];
    [lines[one], lines[other]] = [lines[other]!, lines[one]!];
    return lines.join("\r\n");
  },
  function splice(text, random, corpus) {
    const other = corpus[random(corpus.length)]!;
    return text.slice(0, random(text.length + 1)) + other.slice(random(other.length + 1));
  },
  function follow(text, random, corpus) {
    return text + corpus[random(corpus.length)]!;
  },
  function changeCase(text, random) {
    const [from, to] = range(text, random);
    const part = text.slice(from, to);
    const changed = random(2) === 0 ? part.toUpperCase() : part.toLowerCase();
    return text.slice(0, from) + changed + text.slice(to);
  },
  function cut(text, random) {
    return text.slice(0, random(text.length + 1));
  },
];

function range(text: string, random: Random): [from: number, to: number] {
  const from = random(text.length + 1);
  return [from, Math.min(text.length, from + 1 + random(12))];
}

/** Makes an input of one of the corpus, or of two: each character is one byte. */
export function mutate(corpus: readonly string[], random: Random): string {
  let text = corpus[random(corpus.length)]!;
  for (let left = random(4); left > 0; left--) {
    text = mutations[random(mutations.length)]!(text, random, corpus);
  }
  // A letter beyond Latin-1, which a change of case can make, is no byte.
  return text.replace(/[^\0-\xff]/g, "y").slice(0, 4_096);
}

/** Cuts an input into pieces. */
export function pieces(text: string, random: Random): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const length = random(3) === 0 ? 1 : 1 + random(text.length - at);
    parts.push(text.slice(at, at + length));
    at += length;
  }
  return parts;
}
