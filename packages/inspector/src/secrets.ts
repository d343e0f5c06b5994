import { decodePath } from "@wsgi/core";

/** Stands in the place of a secret. */
const hidden = "(hidden)";

/** The names of what is secret, among fields, keys, parameters and properties. */
const secretName =
  /auth|cookie|credential|csrf|jwt|pass(?:code|phrase|w)|private|pwd|secret|session|signature|token|(?:access|api).?key/i;

/** What is shorter would be found by chance. */
const leastKnown = 6;
/** What is longer is not looked for. */
const longestKnown = 16_384;
/** How far a secret reaches that is known by what stands around it. */
const reachAround = 256;
/** How often a value may have been encoded. */
const mostEncoded = 3;
/** So many values are looked for. */
const mostKnown = 200;

/** Hides what is secret in one recording: what has a name that says so, and its value wherever it turns up. */
export class Secrets {
  readonly #more: readonly (string | RegExp)[];
  /** The values that were hidden, the longest first, so that none is left in part. */
  #known: readonly string[] = [];

  /** @param more - more names, or patterns of names */
  constructor(more: readonly (string | RegExp)[]) {
    this.#more = more;
  }

  /** How long a text has to be looked at beyond its end, for a secret that begins in it to show. */
  get reach(): number {
    return reachAround + (this.#known[0]?.length ?? 0);
  }

  /** Remembers what is secret in environ, before anything is written down. */
  learn(environ: object): void {
    for (const [key, value] of Object.entries(environ)) {
      if (typeof value === "string") this.variable(key, value.slice(0, longestKnown));
    }
  }

  /** Tells whether what has this name is secret. */
  isSecret(name: string): boolean {
    if (secretName.test(name)) return true;
    return this.#more.some((other) =>
      typeof other === "string" ? isSameName(name, other) : matches(name, other),
    );
  }

  /** Hides what is secret in a value of environ that is text. */
  variable(key: string, value: string): string {
    if (key === "HTTP_COOKIE") return this.#cookies(value);
    return this.isSecret(key) ? this.#hide(value) : this.text(value);
  }

  /** Hides in a text the values of parameters and properties with such names, and what was hidden before. */
  text(text: string): string {
    let masked = this.#parameters(text, (value) => this.#hasParameters(value));
    if (text.includes("@")) masked = masked.replace(userInfo, (user) => this.#hide(user));
    if (text.includes('"')) {
      masked = masked.replace(property, (all, name: string, between: string, value: string) =>
        this.isSecret(name) ? `"${name}${between}${this.#hide(value)}` : all,
      );
    }
    return this.#known.reduce((rest, secret) => rest.replaceAll(secret, hidden), masked);
  }

  /** Hides parameters, also those that stand encoded in another, as the target of a redirection does. */
  #parameters(text: string, hasSecrets: (value: string) => boolean): string {
    if (!text.includes("=")) return text;
    return text.replace(parameter, (all, name: string, value: string) => {
      const isHidden = this.isSecret(decode(name)) || hasSecrets(value);
      return isHidden ? `${name}=${this.#hide(value)}` : all;
    });
  }

  /** Tells whether a value has such parameters when it is decoded, as often as need be. */
  #hasParameters(value: string): boolean {
    let text = value;
    for (let times = 0; times < mostEncoded && text.includes("%"); times++) {
      text = decode(text);
      if (this.#parameters(text, () => false) !== text) return true;
    }
    return false;
  }

  /** Hides what is secret in the value of a header field of a response. */
  field(name: string, value: string): string {
    if (/^set-cookie$/i.test(name)) return this.#setCookie(value);
    return this.isSecret(name) ? this.#hide(value) : this.text(value);
  }

  /** Keeps the names. */
  #cookies(value: string): string {
    return value
      .split(";")
      .map((pair) => {
        const equals = pair.indexOf("=");
        return `${pair.slice(0, equals + 1)}${this.#hide(pair.slice(equals + 1))}`;
      })
      .join(";");
  }

  /** Keeps the name and the attributes. */
  #setCookie(value: string): string {
    const [pair = "", ...attributes] = value.split(";");
    const kept = attributes.map((text) => (cookieAttribute.test(text) ? text : ` ${hidden}`));
    return [this.#cookies(pair), ...kept].join(";");
  }

  /** Remembers a value, in the forms in which it may turn up again. */
  #hide(value: string): string {
    if (value.length > longestKnown) return hidden;
    const whole = value.trim();
    // Of credentials, what follows their scheme.
    const parts = whole.split(/\s+/).slice(1);
    const forms = [whole, ...parts].flatMap((form) => [form, decode(form)]);
    const known = new Set([
      ...this.#known,
      ...forms.filter((form) => form.length >= leastKnown && form !== hidden),
    ]);
    if (known.size > this.#known.length && known.size <= mostKnown) {
      this.#known = [...known].toSorted((one, other) => other.length - one.length);
    }
    return hidden;
  }
}

/** Of a query or a form. Only from where a name begins, or a long one is searched from each of its characters. */
const parameter = /(?<![^?&;,\s"'<>=])([^?&;,\s"'<>=]+)=([^?&;,\s"'<>]*)/g;

/** Of a URL. */
const userInfo = /(?<=\/\/)[^/?#@:\s]*:[^/?#@\s]*(?=@)/g;

/** Of JSON, with a text for its value; the end of that may be missing. */
const property = /(?<!\\)"((?:[^"\\]|\\.)*)("\s*:\s*")((?:[^"\\]|\\.)*)/g;

/** RFC 6265, section 4.1.1, and what has been added since. */
const cookieAttribute =
  /^\s*(?:(?:domain|expires|max-age|path|priority|samesite)=|(?:httponly|partitioned|secure)\s*$)/i;

function isSameName(one: string, other: string): boolean {
  const plain = (name: string): string =>
    name
      .replace(/^HTTP_/, "")
      .replaceAll("_", "-")
      .toLowerCase();
  return plain(one) === plain(other);
}

function matches(name: string, pattern: RegExp): boolean {
  // A pattern with the flag g goes on where it has stopped.
  pattern.lastIndex = 0;
  return pattern.test(name);
}

/** Decodes a value as forms have it, as far as that can be done. */
function decode(text: string): string {
  return decodePath(text.replaceAll("+", " "));
}
