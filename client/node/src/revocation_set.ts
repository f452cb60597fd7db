import { decodeFingerprints } from "./elias_fano.js";
import { sessionFingerprint, tokenFingerprint } from "./fingerprint.js";
import { FingerprintStore } from "./fingerprint_store.js";
import type {
  FingerprintSet,
  RevocationEntry,
} from "./gen/ostiary/v1/revocation_service_pb.js";
import type { SignedToken } from "./signed_token.js";
import { timestampMs } from "./time.js";
import type { Timestamp } from "@bufbuild/protobuf/wkt";

/** A limit and the time (ms since 1970) from which it may be forgotten. */
interface Cutoff<T> {
  readonly limit: T;
  readonly forgetMs: number;
}

/** Everything but the fingerprints, as the state file keeps it. */
export interface ExactEntries {
  accounts: [string, string, number | null][]; // id, min_generation, forget
  clients: [string, number, number | null][]; // id, issued before, forget
  keys: string[];
  all: [number, number | null] | null;
}

/** Everything that is revoked, as far as it is known. Only grows by merging. */
export class RevocationSet {
  readonly fingerprints = new FingerprintStore();
  private readonly accounts = new Map<string, Cutoff<bigint>>();
  private readonly clients = new Map<string, Cutoff<number>>();
  private readonly keys = new Set<string>();
  private all: Cutoff<number> | undefined;

  /** True if any entry hits the token. */
  hits(token: SignedToken): boolean {
    const { claims } = token;
    return this.keys.has(token.key.keyId) ||
      this.isTooOld(claims.subject, claims.generation ?? 0) ||
      this.isIssuedBefore(claims.clientId, claims.issueTime) ||
      this.hitsIds(token.tokenFingerprint, token.sessionFingerprint);
  }

  /** The same for a token of which only the server's word is known. */
  hitsUnseen(keyId: string, tokenId: string, sessionId: string): boolean {
    return this.keys.has(keyId) ||
      this.hitsIds(tokenFingerprint(tokenId),
        sessionId === "" ? undefined : sessionFingerprint(sessionId));
  }

  merge(entry: RevocationEntry): void {
    const { target } = entry;
    const forgetMs = forgetTime(entry.forgetTime);
    switch (target.case) {
      case "tokenId":
        this.fingerprints.add(tokenFingerprint(target.value), minuteAfter(forgetMs));
        break;
      case "sessionId":
        this.fingerprints.add(sessionFingerprint(target.value), minuteAfter(forgetMs));
        break;
      case "account":
        raise(this.accounts, target.value.accountId,
          { limit: target.value.minGeneration, forgetMs });
        break;
      case "client":
        raise(this.clients, target.value.clientId,
          { limit: seconds(target.value.issuedBefore), forgetMs });
        break;
      case "keyId":
        this.keys.add(target.value);
        break;
      case "all":
        this.all = higher(this.all,
          { limit: seconds(target.value.issuedBefore), forgetMs });
        break;
      case undefined:
        // A kind of entry from a newer server. Passing over it would accept
        // what it revokes.
        throw new Error("a revocation of unknown kind: this library is too old");
    }
  }

  /** @throws BadFingerprintSet */
  mergeSet(set: FingerprintSet): void {
    this.fingerprints.addSorted(
      decodeFingerprints(set), minuteAfter(forgetTime(set.forgetTime)));
  }

  get size(): number {
    return this.fingerprints.size + this.accounts.size + this.clients.size +
      this.keys.size + (this.all ? 1 : 0);
  }

  /** Drops what no living token can be hit by any more. Never keys. */
  forget(nowMs: number): void {
    this.fingerprints.forget(Math.floor(nowMs / 60_000));
    for (const table of [this.accounts, this.clients]) {
      for (const [id, cutoff] of table) {
        if (cutoff.forgetMs <= nowMs) table.delete(id);
      }
    }
    if (this.all && this.all.forgetMs <= nowMs) this.all = undefined;
  }

  exact(): ExactEntries {
    return {
      accounts: [...this.accounts].map(([id, { limit, forgetMs }]) =>
        [id, limit.toString(), orNull(forgetMs)]),
      clients: [...this.clients].map(([id, { limit, forgetMs }]) =>
        [id, limit, orNull(forgetMs)]),
      keys: [...this.keys],
      all: this.all ? [this.all.limit, orNull(this.all.forgetMs)] : null,
    };
  }

  mergeExact(entries: ExactEntries): void {
    for (const [id, limit, forgetMs] of entries.accounts) {
      raise(this.accounts, id, { limit: BigInt(limit), forgetMs: orNever(forgetMs) });
    }
    for (const [id, limit, forgetMs] of entries.clients) {
      raise(this.clients, id, { limit, forgetMs: orNever(forgetMs) });
    }
    for (const id of entries.keys) this.keys.add(id);
    if (entries.all) {
      const [limit, forgetMs] = entries.all;
      this.all = higher(this.all, { limit, forgetMs: orNever(forgetMs) });
    }
  }

  private isTooOld(accountId: string, generation: number | bigint): boolean {
    const cutoff = this.accounts.get(accountId);
    return cutoff !== undefined && generation < cutoff.limit;
  }

  private isIssuedBefore(clientId: string, issueTime: number): boolean {
    const cutoff = this.clients.get(clientId);
    return (cutoff !== undefined && issueTime <= cutoff.limit) ||
      (this.all !== undefined && issueTime <= this.all.limit);
  }

  private hitsIds(token: number, session: number | undefined): boolean {
    return this.fingerprints.has(token) ||
      (session !== undefined && this.fingerprints.has(session));
  }
}

function raise<T extends number | bigint>(
  table: Map<string, Cutoff<T>>,
  id: string,
  cutoff: Cutoff<T>,
): void {
  table.set(id, higher(table.get(id), cutoff));
}

// Of two entries for one target both limits are met by the higher one, as long
// as either lasts.
function higher<T extends number | bigint>(
  known: Cutoff<T> | undefined,
  more: Cutoff<T>,
): Cutoff<T> {
  if (known === undefined) return more;
  return {
    limit: known.limit > more.limit ? known.limit : more.limit,
    forgetMs: Math.max(known.forgetMs, more.forgetMs),
  };
}

// A cutoff without its time would hit nothing; then it hits everything.
function seconds(time: Timestamp | undefined): number {
  return time === undefined ? Infinity : timestampMs(time) / 1000;
}

function forgetTime(time: Timestamp | undefined): number {
  return time === undefined ? Infinity : timestampMs(time);
}

// Rounded up: kept a little longer, never shorter.
function minuteAfter(ms: number): number {
  return Math.ceil(ms / 60_000);
}

function orNull(forgetMs: number): number | null {
  return forgetMs === Infinity ? null : forgetMs;
}

function orNever(forgetMs: number | null): number {
  return forgetMs ?? Infinity;
}
