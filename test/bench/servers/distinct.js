/**
 * Makes functions from one text, each compiled on its own as if somebody had written it, because an engine
 * knows more of a function that is used for everything than of a real program's.
 */
export function distinct(count, text, scope = {}) {
  return Array.from({ length: Number(count) }, (_, i) =>
    new Function(...Object.keys(scope), `return ${text}; // ${i}`)(...Object.values(scope)),
  );
}
