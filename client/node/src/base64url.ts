const ALPHABET = /^[A-Za-z0-9_-]*$/;

/**
 * RFC 4648 section 5 without padding, in canonical form only: a second text
 * for the same bytes would be a second name for the same token.
 */
export function decodeBase64Url(text: string): Buffer | undefined {
  if (text.length % 4 === 1 || !ALPHABET.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64url");
  // Non-zero trailing bits vanish in decoding and show here.
  return bytes.toString("base64url") === text ? bytes : undefined;
}

export function encodeBase64Url(bytes: Uint8Array | string): string {
  return Buffer.from(bytes as Uint8Array).toString("base64url");
}
