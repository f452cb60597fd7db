import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { status as Code, type ServiceError } from "@grpc/grpc-js";

import { ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";
import { durationMs } from "./time.js";

/** Ostiary refused a call, or could not be reached. */
export class CallError extends Error {
  override readonly name: string = "CallError";

  constructor(
    /** Such as `CREDENTIALS_REJECTED`; the gRPC code's name if there is none. */
    readonly reason: string,
    message: string,
    /** The same call may succeed later. */
    readonly isTransient: boolean,
    /** How long to wait before that, if the server says so. */
    readonly retryAfterMs: number | undefined = undefined,
  ) {
    super(message);
  }
}

/** The session is over: the user must sign in again. */
export class SignInRequiredError extends CallError {
  override readonly name = "SignInRequiredError";

  constructor() {
    super("REFRESH_REJECTED", "the session is over: sign in again", false);
  }
}

// The answer may have been lost, or comes at another time.
const TRANSIENT = new Set<number>([
  Code.CANCELLED, Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED,
  Code.ABORTED, Code.INTERNAL, Code.UNAVAILABLE,
]);

/** What a failed gRPC call says. */
export function callErrorOf(error: ServiceError): CallError {
  if (typeof error.code !== "number") return new CallError("UNKNOWN", String(error), false);
  let reason = "";
  let retryAfterMs: number | undefined;
  for (const detail of details(error)) {
    const info = anyUnpack(detail, ErrorInfoSchema);
    if (info?.domain === "ostiary") reason = info.reason;
    const retry = anyUnpack(detail, RetryInfoSchema);
    if (retry) retryAfterMs = durationMs(retry.retryDelay);
  }
  if (reason === "REFRESH_REJECTED") return new SignInRequiredError();
  return new CallError(reason || Code[error.code], error.details,
    TRANSIENT.has(error.code), retryAfterMs);
}

function details(error: ServiceError) {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!(bytes instanceof Uint8Array)) return [];
  try {
    return fromBinary(StatusSchema, bytes).details;
  } catch {
    return []; // not ours
  }
}
