/**
 * Measures how the time for a request grows with a field that repeats itself. By hand, on a machine that
 * does nothing else:
 *
 *     npx tsc -b && node test/dist/hardening/complexity.js
 *
 * Twice as much must take no more than 2.5 times as long. It prints the fields that grow most, and ends
 * with 1 if one grows more than that.
 */
import { call, environFor } from "@wsgi/testing";
import { readFields, readingApp, repeat, repeaters } from "./repeaters.ts";

const most = 2.5;
const sizes: readonly [number, number] = [32_768, 65_536];

interface Growth {
  readonly what: string;
  readonly times: readonly [number, number];
  readonly factor: number;
}

const makers = [
  ...readFields.map((field): [string, (text: string) => ReturnType<typeof environFor>] => [
    field,
    (text) => environFor("GET /a-b/c", { headers: { [field]: text } }),
  ]),
  [
    "the path",
    (text: string) => Object.assign(environFor("GET /"), { PATH_INFO: `/${text}` }),
  ] as const,
  [
    "the target",
    (text: string) => Object.assign(environFor("GET /"), { REQUEST_URI: `/?${text}` }),
  ] as const,
];

const growths: Growth[] = [];
for (const [name, make] of makers) {
  for (const repeater of repeaters) {
    const [short, long] = sizes.map((size) => repeat(repeater, size)) as [string, string];
    const times: [number, number] = [
      await milliseconds(() => make(short)),
      await milliseconds(() => make(long)),
    ];
    const what = `${name} of ${JSON.stringify(repeater)}`;
    growths.push({ what, times, factor: times[1] / times[0] });
  }
}
growths.sort((one, other) => other.factor - one.factor);
for (const { what, times, factor } of growths.slice(0, 12)) {
  console.log(
    `${factor.toFixed(2)}  ${times.map((time) => `${time.toFixed(3)} ms`).join(" → ")}  ${what}`,
  );
}
console.log(`${growths.length} measured`);
process.exitCode = growths.some(({ factor }) => factor > most) ? 1 : 0;

/** Takes the shortest of several runs, which is the one that was disturbed least. */
async function milliseconds(make: () => ReturnType<typeof environFor>): Promise<number> {
  let shortest = Infinity;
  for (let run = 0; run < 30; run++) {
    const environ = make();
    const begun = performance.now();
    await call(readingApp, environ);
    shortest = Math.min(shortest, performance.now() - begun);
  }
  return shortest;
}
