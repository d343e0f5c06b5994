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
export const exceptions: readonly Exception[] = [
  {
    hosts: ["workerd"],
    applications: ["fastify"],
    reason: "Fastify makes functions of text, which Workers do not allow",
  },
  {
    applications: ["micro"],
    checks: ["reason"],
    reason: "its responses have a code only",
  },
  {
    applications: ["micro"],
    checks: ["encoded slash"],
    reason: "its router looks at PATH_INFO, which is decoded",
  },
  {
    applications: ["h3"],
    checks: ["encoded slash"],
    reason: "its parameters keep %2F",
  },
  {
    hosts: ["HTTP/2"],
    checks: ["reason"],
    reason: "HTTP/2 has no reason phrases",
  },
  {
    hosts: ["Hono", "Bun", "Deno", "Lambda", "Lambda, streaming"],
    checks: ["reason"],
    reason: "the host sends a reason phrase of its own",
  },
  {
    hosts: ["Bun"],
    applications: ["connect", "hono", "h3"],
    checks: ["HEAD"],
    reason: "for HEAD Bun says Content-Length: 0 where the application says none",
  },
  {
    hosts: ["Bun"],
    applications: ["hono"],
    checks: ["text with a text appended"],
    reason: "a Response made of text has no Content-Type there, so that nothing is appended",
  },
  {
    hosts: ["workerd"],
    applications: ["express", "koa", "connect"],
    checks: ["abort", "backpressure"],
    reason:
      "the node:http of Workers takes all that is written, and tells nobody that a client has left",
  },
  {
    hosts: ["Lambda", "Lambda, streaming", "Lambda, balancer"],
    checks: ["echo of 8 MiB"],
    reason: "an event is 6 MB at most",
  },
  {
    hosts: ["Lambda", "Lambda, balancer"],
    checks: ["stream", "error half-way", "backpressure"],
    reason: "a result leaves when it is whole",
  },
  {
    hosts: ["Lambda", "Lambda, streaming", "Lambda, balancer"],
    checks: ["abort"],
    reason: "nothing tells a function that the client has left",
  },
];

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
