/** A minute since 1970 after which an entry may be forgotten. */
export type ForgetMinute = number;

// So many single entries are kept in a Map, at some 50 bytes each; then they
// are sorted into runs, at 8.
const MAX_RECENT = 4096;
// Every look goes through all groups. Beyond this, neighbours are put together
// and forgotten with the later one.
const MAX_GROUPS = 32;

/** Numbers of 52 bits, each with the minute from which it may be forgotten. */
export class FingerprintStore {
  private recent = new Map<number, ForgetMinute>();
  // For each minute, sorted runs; each is less than half of the one before it.
  private groups = new Map<ForgetMinute, Float64Array[]>();

  /** Adds one; one that is there for as long or longer is left alone. */
  add(fingerprint: number, until: ForgetMinute): void {
    if (this.keptUntil(fingerprint) >= until) return;
    this.recent.set(fingerprint, until);
    if (this.recent.size >= MAX_RECENT) this.sortRecent();
  }

  /** Adds many, given in rising order. The array is the store's from now on. */
  addSorted(run: Float64Array, until: ForgetMinute): void {
    if (run.length === 0) return;
    this.addRun(run, until);
    if (this.groups.size > MAX_GROUPS) this.joinSmallestNeighbours();
  }

  has(fingerprint: number): boolean {
    if (this.recent.has(fingerprint)) return true;
    for (const runs of this.groups.values()) {
      for (const run of runs) if (contains(run, fingerprint)) return true;
    }
    return false;
  }

  get size(): number {
    let size = this.recent.size;
    for (const runs of this.groups.values()) {
      for (const run of runs) size += run.length;
    }
    return size;
  }

  /** Drops what may be forgotten at a minute. */
  forget(minute: ForgetMinute): void {
    for (const [fingerprint, until] of this.recent) {
      if (until <= minute) this.recent.delete(fingerprint);
    }
    for (const until of this.groups.keys()) {
      if (until <= minute) this.groups.delete(until);
    }
  }

  /** One run for each minute: the least memory and the fastest search. */
  compact(): void {
    this.sortRecent();
    for (const runs of this.groups.values()) {
      while (runs.length > 1) {
        const last = runs.pop()!;
        runs.push(union(runs.pop()!, last));
      }
    }
  }

  /** Everything, as sorted runs; compacts first. */
  runs(): [ForgetMinute, Float64Array][] {
    this.compact();
    return [...this.groups].map(([until, runs]) => [until, runs[0]]);
  }

  private addRun(run: Float64Array, until: ForgetMinute): void {
    const runs = this.groups.get(until) ?? [];
    this.groups.set(until, runs);
    runs.push(run);
    while (runs.length > 1 && runs.at(-1)!.length * 2 > runs.at(-2)!.length) {
      const last = runs.pop()!;
      runs.push(union(runs.pop()!, last));
    }
  }

  private joinSmallestNeighbours(): void {
    const minutes = [...this.groups.keys()].sort((a, b) => a - b);
    // Not with those that are kept for ever, which would keep all in the end.
    const pairs = minutes.slice(1).flatMap((later, i) =>
      later === Infinity ? [] : [{ earlier: minutes[i], later }]);
    const weight = (minute: ForgetMinute) =>
      this.groups.get(minute)!.reduce((sum, run) => sum + run.length, 0);
    const { earlier, later } = pairs.reduce((best, pair) =>
      weight(pair.earlier) + weight(pair.later) <
      weight(best.earlier) + weight(best.later) ? pair : best);
    const moved = this.groups.get(earlier)!;
    this.groups.delete(earlier);
    for (const run of moved) this.addRun(run, later);
  }

  private keptUntil(fingerprint: number): ForgetMinute {
    let latest = this.recent.get(fingerprint) ?? -Infinity;
    for (const [until, runs] of this.groups) {
      if (until > latest && runs.some((run) => contains(run, fingerprint))) {
        latest = until;
      }
    }
    return latest;
  }

  private sortRecent(): void {
    const byMinute = new Map<ForgetMinute, number[]>();
    for (const [fingerprint, until] of this.recent) {
      const list = byMinute.get(until);
      if (list) list.push(fingerprint);
      else byMinute.set(until, [fingerprint]);
    }
    this.recent = new Map();
    for (const [until, list] of byMinute) {
      this.addSorted(Float64Array.from(list).sort(), until);
    }
  }
}

// Fingerprints are spread evenly, so a guess by proportion is nearly right and
// a few of them find the place. Nobody can choose them: ids are the server's.
// Were they uneven after all, halving finds the place too.
const MAX_GUESSES = 12;

function contains(run: Float64Array, wanted: number): boolean {
  let low = 0;
  let high = run.length - 1;
  for (let guesses = 0; low <= high; guesses++) {
    const first = run[low];
    const last = run[high];
    if (wanted < first || wanted > last) return false;
    const share =
      guesses < MAX_GUESSES && last > first ? (wanted - first) / (last - first) : 0.5;
    const middle = low + Math.floor(share * (high - low));
    if (run[middle] === wanted) return true;
    if (run[middle] < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

function union(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length + b.length);
  let i = 0;
  let j = 0;
  let size = 0;
  while (i < a.length || j < b.length) {
    const next = j === b.length || a[i] <= b[j] ? a[i] : b[j];
    while (a[i] === next) i++;
    while (b[j] === next) j++;
    out[size++] = next;
  }
  return size === out.length ? out : out.slice(0, size);
}
