// Prints the table of applications and hosts.
import process from "node:process";
import { impossible } from "./exceptions.ts";
import { hosts, missingHost, startHost } from "./hosts.ts";
import { applications, checksOf, draw, look, type Outcome } from "./matrix.ts";

const wanted = process.argv.slice(2);
const columns = hosts.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const outcomes = new Map<string, readonly Outcome[] | string>();

for (const host of columns) {
  const begun = performance.now();
  const missing = missingHost(host);
  if (missing !== undefined) {
    for (const application of applications) outcomes.set(`${host.name}/${application}`, missing);
    continue;
  }
  await using running = await startHost(host);
  for (const application of applications) {
    const cell: Outcome[] = [];
    for (const check of checksOf(host, application)) {
      const outcome = await look(host, running, application, check);
      if (outcome.fault !== undefined) {
        console.error(`${application} on ${host.name}, ${check.name}: ${outcome.fault.message}`);
        process.exitCode = 1;
      }
      cell.push(outcome);
    }
    const reason = impossible(host.name, application);
    const isKnown = reason !== undefined && cell.every(({ fault }) => fault === undefined);
    outcomes.set(`${host.name}/${application}`, isKnown ? reason : cell);
  }
  console.error(`${host.name}: ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
}

const names = columns.map(({ name }) => name);
console.log(draw(names, (host, application) => outcomes.get(`${host}/${application}`)!));
