import { byHand, interleaved, type Outcome, type Size } from "./benchmark.ts";
import { runCase } from "./case-process.ts";

const counts = [0, 5, 10, 50] as const;

/** Has node collect no garbage while the bytes of a few calls are counted. */
const roomy = ["--max-semi-space-size=64", "--min-semi-space-size=64"];

/** Measures what a layer adds to a request, without a server. */
export async function compose(size: Size): Promise<Outcome> {
  const names = await runCase<string[]>("compose");
  const cases = names.flatMap((name) => counts.map((count) => ({ name, count })));
  const rounds = Math.ceil(size.rounds / 3);
  const measured = await interleaved(cases, rounds, ({ name, count }) =>
    runCase<number>("compose", [name, count, size.seconds / 3]),
  );
  // The least of all rounds, because what disturbs only adds to it.
  const times = measured.map((rounds) => Math.min(...rounds));
  const rows: { name: string; fixed: number; layers: number[]; bytes: number }[] = [];
  for (const [i, name] of names.entries()) {
    const [none, ...some] = times.slice(i * counts.length, (i + 1) * counts.length);
    const layers = some.map((time, j) => (time - none!) / counts[j + 1]!);
    const [least, most] = await Promise.all(
      [0, 50].map((count) => runCase<number>("compose", [name, count, "bytes"], roomy)),
    );
    const bytes = Math.max(0, Math.round((most! - least!) / 50));
    rows.push({ name, fixed: none!, layers, bytes });
  }
  const at50 = (name: string): number => rows.find((row) => row.name === name)!.layers[2]!;
  const wrapping = at50("WSGI, wraps startResponse");
  const passing = rows.find(({ name }) => name === "WSGI, passes on, not inlined")!;
  return {
    title: "Composition, in process: nanoseconds for a layer",
    columns: ["layers", "without any, ns", "each of 5", "each of 10", "each of 50", "bytes each"],
    rows: rows.map(({ name, fixed, layers, bytes }) => [name, fixed, ...layers, bytes]),
    caveats: [
      "Each number of layers has a process of its own; the layers are functions of their own, as in a program.",
      'What the engine can put into one function costs nothing: "not inlined" is the honest row for passing on.',
      'hono, h3 and fetch make a Request\'s Response too; that is in "without any".',
    ],
    figures: {
      "compose.pass": passing.layers[2]!,
      "compose.passBytes": passing.bytes,
      "compose.start": wrapping,
      "compose.startKoa": at50("koa-compose") / wrapping,
      "compose.startHono": at50("hono compose") / wrapping,
      "compose.header": rows.find(({ name }) => name === "WSGI, adds a header")!.layers[0]!,
      "compose.body": at50("WSGI, maps the body"),
      "compose.async": at50("WSGI, waits for an async application"),
    },
  };
}

await byHand(import.meta.url, compose);
