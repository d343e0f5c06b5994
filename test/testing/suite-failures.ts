import assert from "node:assert/strict";

/** Is a case of one of the suites. */
interface Case<Subject> {
  readonly id: string;
  run(subject: Subject, timeout?: number): Promise<string | undefined>;
}

/** How many cases run side by side. */
const lanes = 12;

/** Runs every case against what is broken, and sees that those fail that are said to, and no other. */
export async function failsExactly<Subject>(
  cases: readonly Case<Subject>[],
  subject: Subject,
  expected: readonly string[],
): Promise<void> {
  const left = [...cases];
  const failed = new Set<string>();
  const runAll = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      const { id } = one;
      // What is to fail may do so by waiting in vain; what is to pass has all the time that it needs.
      await one.run(subject, expected.includes(id) ? 500 : 30_000).catch(() => failed.add(id));
    }
  };
  await Promise.all(Array.from({ length: lanes }, runAll));
  assert.deepEqual(failed, new Set(expected));
}
