/** Writes a value into a message: text in quotes, so that its ends show, and anything else as it prints. */
export function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
