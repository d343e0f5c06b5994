import { serverCases, type StartServer } from "@wsgi/testing/server-suite";

/** Is what a case of the suite has shown. */
export interface Verdict {
  readonly id: string;
  /** Why it failed; undefined if it did not. */
  readonly failure?: string | undefined;
  /** Why it could not be seen. */
  readonly inapplicable?: string | undefined;
}

/** How long a case waits for what does not happen, in milliseconds. */
const timeout = 4_000;
/** Runs the cases of `serverSuite` where node:test is not, and tells of each. */
export async function judge(start: StartServer, tell: (verdict: Verdict) => void): Promise<void> {
  for (const one of serverCases) {
    const { id } = one;
    try {
      tell({ id, inapplicable: await one.run(start, timeout) });
    } catch (error) {
      tell({ id, failure: String(error) });
    }
  }
}
