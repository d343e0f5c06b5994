import { createHmac, timingSafeEqual } from "node:crypto";
import { byteLength } from "@wsgi/core";

/** Is what cookies are signed with: at least 32 random bytes, as `randomBytes(32)` makes them. */
export type Secret = string | Uint8Array;

/** Signs values, each for one name, and knows its own signatures again. */
export interface Signer {
  /** Gives the value with its end, in seconds since 1970, and the signature of both. */
  sign(name: string, value: string, end: number | undefined): string;
  /** Gives the value back; undefined if it was not signed for this name, or its end has come. */
  unsign(name: string, signed: string): string | undefined;
}

/**
 * Makes a signer, which uses HMAC-SHA256.
 *
 * @param secrets - the first signs, all verify; without them the signer throws when it is used
 * @returns the signer
 * @throws TypeError or RangeError if a secret is of no use; the message does not tell the secret
 */
export function createSigner(secrets: readonly Secret[] | undefined): Signer {
  if (secrets === undefined) return { sign: refuse, unsign: refuse };
  checkSecrets(secrets);
  // Derived, so that nothing else which the same secret signs is a signature here.
  const keys = secrets.map((secret) =>
    createHmac("sha256", secret).update("@wsgi/cookies").digest(),
  );
  return {
    sign(name, value, end) {
      const content = `${value}.${end ?? ""}`;
      return `${content}.${mac(keys[0]!, name, content)}`;
    },
    unsign(name, signed) {
      const [, content, value, end, found] = signedForm.exec(signed) ?? [];
      if (content === undefined || found === undefined) return undefined;
      if (!keys.some((key) => isSame(found, mac(key, name, content)))) return undefined;
      return end === "" || Date.now() < Number(end) * 1000 ? value : undefined;
    },
  };
}

/** signed = content "." mac; content = value "." [ end ]; the mac is 32 bytes in base64url. */
const signedForm = /^((.*)\.(\d*))\.([\w-]{43})$/s;

function refuse(): never {
  throw new TypeError("Cannot sign cookies: there are no secrets; wanted cookies({ secrets })");
}

const minBytes = 32;

function checkSecrets(secrets: readonly Secret[]): void {
  if (!Array.isArray(secrets) || secrets.length === 0) {
    throw new TypeError(
      "Cannot sign cookies: secrets is empty or no array; wanted at least one secret",
    );
  }
  secrets.forEach((secret: unknown, i) => {
    if (typeof secret !== "string" && !(secret instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot sign cookies: secrets[${i}] is of type ${typeof secret}; wanted a string or a Uint8Array`,
      );
    }
    if (byteLength(secret) < minBytes) {
      throw new RangeError(
        `Cannot sign cookies: secrets[${i}] has ${byteLength(secret)} bytes; wanted at least ${minBytes}`,
      );
    }
  });
}

/** The name is part of what is signed; it has no "=", so that no other name makes the same text. */
function mac(key: Uint8Array, name: string, content: string): string {
  return createHmac("sha256", key).update(`${name}=${content}`).digest("base64url");
}

/** Compares texts, not bytes: decoding would drop the last two bits of 43 characters. */
function isSame(found: string, wanted: string): boolean {
  return timingSafeEqual(Buffer.from(found), Buffer.from(wanted));
}
