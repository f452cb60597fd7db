import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

import {
  RevocationEntrySchema,
  type RevocationEntry,
} from "./gen/ostiary/v1/revocation_service_pb.js";

/** What a test issuer can revoke. */
export type Target =
  | { case: "tokenId"; value: string }
  | { case: "sessionId"; value: string }
  | { case: "account"; value: { accountId: string; minGeneration: bigint } }
  | { case: "client"; value: { clientId: string; issuedBeforeMs: number } }
  | { case: "keyId"; value: string };

/** The entry as the feed would carry it, never to be forgotten. */
export function entryFor(target: Target): RevocationEntry {
  if (target.case !== "client") return create(RevocationEntrySchema, { target });
  const { clientId, issuedBeforeMs } = target.value;
  return create(RevocationEntrySchema, {
    target: {
      case: "client",
      value: { clientId, issuedBefore: timestampFromMs(issuedBeforeMs) },
    },
  });
}
