// An application of the micro-framework.
//
//   npx wsgi serve examples/micro/app.ts
//   curl -d 'text=Buy milk' http://127.0.0.1:8000/notes

import type { Application } from "@wsgi/core";
import { httpError } from "@wsgi/middleware/catch-errors";
import { Micro, Response } from "./framework.ts";

const site = new Micro();
const notes: string[] = [];

site.route("/")(function home() {
  return "<h1>Notes</h1>";
});

site.route("/hello/:name")(function hello(request) {
  return new Response(`Hello, ${request.params.name}!`);
});

site.route("/notes")(function list() {
  return notes;
});

site.route("/notes", ["POST"])(async function add(request) {
  const text = (await request.form()).get("text");
  if (text === null) throw httpError(400, "A note needs a text");
  notes.push(text);
  return Response.redirect(`/notes/${notes.length - 1}`);
});

site.route("/notes/:id")(function show(request) {
  const text = notes[Number(request.params.id)];
  if (text === undefined) throw httpError(404, `There is no note ${request.params.id}`);
  return { text };
});

export const app: Application = site.app;
