/** Writes a value into a message: text in quotes, so that its ends show, and anything else as it prints. */
export function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Says of what type a value is, for a message about one that should be of another. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "object") return `an object of type ${value.constructor?.name ?? "Object"}`;
  return `a ${typeof value}`;
}

/** Names a layer or an application by its function. */
export function nameOf(part: object): string {
  return (part as { name?: string }).name || "(anonymous)";
}
