import { byHand, interleaved, type Outcome, type Size } from "./benchmark.ts";
import { runCase } from "./case-process.ts";

/** Five layers have a boundary before each, and one behind the last. */
const boundaries = 6;

/** Measures what the inspector adds to a request, and that it adds nothing where it is not used. */
export async function inspector(size: Size): Promise<Outcome> {
  const names = await runCase<string[]>("inspector");
  const measured = await interleaved(names, Math.ceil(size.rounds / 3), (name) =>
    runCase<{ ns: number }>("inspector", [name, size.seconds / 3]),
  );
  // The least of all rounds, because what disturbs only adds to it.
  const times = measured.map((rounds) => Math.min(...rounds.map(({ ns }) => ns)));
  const plainOf = (name: string): number =>
    times[names.findIndex((other) => other === name.replace(/,.*$/, ", plain"))]!;
  const timeOf = (name: string): number => times[names.indexOf(name)]!;
  const array = timeOf("an array, inspected") - timeOf("an array, plain");
  return {
    title: "The inspector, in process: a stack of five layers that wrap startResponse",
    columns: ["response", "ns/request", "above plain, ns", "for each boundary, ns"],
    rows: names.map((name, i) => {
      const above = times[i]! - plainOf(name);
      return [name, times[i]!, above, above / boundaries];
    }),
    caveats: [
      "Each row has a process of its own. The request has fifteen CGI variables and six header fields.",
      "Most of what a recorded request takes is looking through its fields for secrets, once.",
    ],
    figures: {
      "inspector.request": array,
      "inspector.boundary": array / boundaries,
      "inspector.absent": timeOf("an array, the inspector imported") / timeOf("an array, plain"),
    },
  };
}

await byHand(import.meta.url, inspector);
