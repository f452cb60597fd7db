import { sha256 } from "./fingerprint.js";
import type { KeySet } from "./keys.js";
import type { SignedToken } from "./signed_token.js";

/**
 * Tokens whose signature has been checked, by the SHA-256 of their text: no
 * token text is kept in memory, and a text of any length costs the same.
 * Holds claims, never a verdict. Beyond its size the longest unused one goes.
 */
export class TokenCache {
  private readonly tokens = new Map<string, SignedToken>();
  hits = 0;
  misses = 0;

  constructor(private readonly capacity: number) {}

  static nameOf(text: string): string {
    return sha256(text).toString("latin1");
  }

  find(name: string): SignedToken | undefined {
    const token = this.tokens.get(name);
    if (token === undefined) {
      this.misses++;
      return undefined;
    }
    this.hits++;
    this.tokens.delete(name);
    this.tokens.set(name, token);
    return token;
  }

  insert(name: string, token: SignedToken): void {
    if (this.capacity === 0) return;
    if (this.tokens.size >= this.capacity) {
      this.tokens.delete(this.tokens.keys().next().value as string);
    }
    this.tokens.set(name, token);
  }

  /** Drops the tokens whose key is not in the set (any more). */
  keepSignedBy(keys: KeySet): void {
    for (const [name, token] of this.tokens) {
      if (keys.find(token.key.keyId) !== token.key) this.tokens.delete(name);
    }
  }
}
