/** What a terminal may obey, or take for the end of a line, or show in another order. */
const controls = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const longest = 120;

/**
 * Writes a text for a line of a terminal, whatever is in it.
 *
 * @param text - the text
 * @returns the text with its control characters written out, cut where a line gets too long
 */
export function printable(text: string): string {
  const seen = text.replace(controls, (code) => `\\u{${code.codePointAt(0)!.toString(16)}}`);
  return seen.length <= longest ? seen : `${seen.slice(0, longest)}…`;
}
