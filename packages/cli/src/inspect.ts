import process from "node:process";
import { drawSteps, drawTree, inspect, Recorder, type Recording } from "@wsgi/inspector";
import { call } from "@wsgi/testing";
import { nameArguments, readArguments } from "./command.ts";
import { loadApplication } from "./load.ts";
import { makeEnviron, requestOptions } from "./request-environ.ts";

export const usage = `Usage: wsgi inspect FILE[:NAME] METHOD PATH [options]

Calls the application once, without a network, and prints what each of its layers
did: the time it took by itself, and what it changed in the request and in the
response. What looks secret is hidden.

  -H, --header "NAME: VALUE"   send a header field; may be repeated
  -d, --data TEXT              send a body, as a form unless a header says otherwise;
                               @FILE sends a file, @- standard input
      --steps                  print what happened event by event, each with the
                               clause of the contract that it shows
      --json                   print the recording as JSON
  -h, --help                   print this
`;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArguments(args, {
    ...requestOptions,
    steps: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  });
  const [target, method, path] = nameArguments(positionals, "FILE", "METHOD", "PATH");
  const environ = await makeEnviron(method, path, values);
  const { app } = await loadApplication(target);
  const recorder = new Recorder();
  try {
    await call(inspect(app, recorder), environ);
  } finally {
    // What was thrown is shown after what led to it.
    console.log(show(recorder.recordings[0]!, values));
  }
  return 0;
}

function show(recording: Recording, asked: { steps: boolean; json: boolean }): string {
  if (asked.json) return escapeControls(JSON.stringify(recording, undefined, 2));
  if (asked.steps) return drawSteps(recording);
  return drawTree(recording, { color: process.stdout.isTTY && process.stdout.hasColors() });
}

/** Escapes what a terminal may obey, and JSON has as it is. */
function escapeControls(json: string): string {
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return json.replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (code) =>
    code.split("").map(escape).join(""),
  );
}
