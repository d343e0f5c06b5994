/** Is the name of a header field, in small letters and as clients of HTTP/1.1 write it. */
export interface FieldName {
  readonly lower: string;
  readonly raw: string;
}

// Clients use a hundred names or so; the bound is for those that make them up.
const fieldNames = new Map<string, FieldName | undefined>();
const fieldNamesLimit = 1_024;

/** Names the header field of an environ key, if it has one. */
export function fieldName(key: string): FieldName | undefined {
  let name = fieldNames.get(key);
  if (name === undefined && !fieldNames.has(key)) {
    name = makeFieldName(key);
    if (fieldNames.size < fieldNamesLimit) fieldNames.set(key, name);
  }
  return name;
}

function makeFieldName(key: string): FieldName | undefined {
  const isContent = key === "CONTENT_TYPE" || key === "CONTENT_LENGTH";
  if (!isContent && !key.startsWith("HTTP_")) return undefined;
  const lower = (isContent ? key : key.slice("HTTP_".length)).toLowerCase().replaceAll("_", "-");
  return { lower, raw: lower.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase()) };
}
