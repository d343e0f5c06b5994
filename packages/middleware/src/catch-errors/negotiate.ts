/** Is one element of an Accept field. */
interface Range {
  readonly type: string;
  readonly subtype: string;
  /** From 0 (never) to 1. */
  readonly quality: number;
  /** How narrow it is; of the ranges that hold a type, the narrowest speaks for it. */
  readonly precision: number;
  /** Its place in the field: of equal wishes, the first wins. */
  readonly place: number;
}

/**
 * Finds the media type that a client likes best. Elements that are malformed do not count.
 *
 * @param accept - the Accept field, if there is one
 * @param offers - what there is, the server's favourite first, in lower case and without parameters
 * @returns an offer, or undefined if none is acceptable
 * @see RFC 9110, section 12.5.1
 */
export function negotiate<Offer extends string>(
  accept: string | undefined,
  offers: readonly Offer[],
): Offer | undefined {
  if (accept === undefined || /^[ \t]*$/.test(accept)) return offers[0];
  const ranges = parseAccept(accept);
  let best: { offer: Offer; range: Range } | undefined;
  for (const offer of offers) {
    const range = rangeFor(offer, ranges);
    if (range !== undefined && range.quality > 0 && (!best || isPreferred(range, best.range))) {
      best = { offer, range };
    }
  }
  return best?.offer;
}

/** media-range [ weight ], where media-range = ( "*" "/*" / type "/*" / type "/" subtype ) parameters */
const element = /^[ \t]*([^\s/;]+)\/([^\s/;]+)[ \t]*(;.*)?$/;
/** weight = OWS ";" OWS "q=" qvalue */
const weight = /;[ \t]*q=([^ \t;]*)/i;
/** qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3( "0" ) ] ) */
const qvalue = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;
/** quoted-string: it may hold commas, and never anything that is asked for here */
const quoted = /"(?:[^"\\]|\\.)*"?/g;

function parseAccept(accept: string): Range[] {
  return accept
    .toLowerCase()
    .replace(quoted, "")
    .split(",")
    .flatMap((text, place): Range[] => {
      const [, type = "", subtype = "", parameters = ""] = element.exec(text) ?? [];
      const found = weight.exec(parameters);
      const quality = found?.[1] ?? "1";
      if (type === "" || !qvalue.test(quality)) return [];
      // A range with parameters asks for a variant; ours serves, but does not speak for the plain type.
      const plain = found === null ? parameters === "" : found.index === 0;
      const precision = Number(type !== "*") + Number(subtype !== "*") + Number(plain);
      return [{ type, subtype, quality: Number(quality), precision, place }];
    });
}

/** Finds the narrowest range that holds an offer. */
function rangeFor(offer: string, ranges: readonly Range[]): Range | undefined {
  const [type, subtype] = offer.split("/");
  let narrowest: Range | undefined;
  for (const range of ranges) {
    const holds =
      (range.type === type && (range.subtype === subtype || range.subtype === "*")) ||
      (range.type === "*" && range.subtype === "*");
    if (holds && (!narrowest || range.precision > narrowest.precision)) narrowest = range;
  }
  return narrowest;
}

function isPreferred(range: Range, to: Range): boolean {
  if (range.quality !== to.quality) return range.quality > to.quality;
  if (range.precision !== to.precision) return range.precision > to.precision;
  return range.place < to.place;
}
