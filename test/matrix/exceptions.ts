/** Is something that cannot work, and why. */
export interface Exception {
  /** The columns that it is about; all of them if left out. */
  readonly hosts?: readonly string[];
  /** The rows that it is about; all of them if left out. */
  readonly applications?: readonly string[];
  /** The checks that it is about; if left out, the application does not run at all. */
  readonly checks?: readonly string[];
  readonly reason: string;
}

/** Is all that cannot work. What is named here and works after all fails its test. */
export const exceptions: readonly Exception[] = [];

/** Finds the reason why an application does not run on a host, if it does not. */
export function impossible(host: string, application: string): string | undefined {
  return exceptions.find((one) => one.checks === undefined && fits(one, host, application))?.reason;
}

/** Finds the reason why a check fails, if it is to fail. */
export function excepted(host: string, application: string, check: string): string | undefined {
  return exceptions.find(
    (one) => one.checks?.includes(check) === true && fits(one, host, application),
  )?.reason;
}

function fits({ hosts, applications }: Exception, host: string, application: string): boolean {
  return hosts?.includes(host) !== false && applications?.includes(application) !== false;
}
