/** What `Revoke` answers with, taken apart. */
export interface Revision {
  readonly epoch: number;
  readonly sequence: bigint;
}

const FORM = /^rev_([0-9a-f]{8})([0-9a-f]{16})$/;

/** @returns undefined if it is not a revision. */
export function parseRevision(text: string): Revision | undefined {
  const found = FORM.exec(text);
  if (found === null) return undefined;
  return { epoch: parseInt(found[1], 16), sequence: BigInt("0x" + found[2]) };
}

export function formatRevision({ epoch, sequence }: Revision): string {
  return "rev_" + epoch.toString(16).padStart(8, "0") +
    sequence.toString(16).padStart(16, "0");
}
