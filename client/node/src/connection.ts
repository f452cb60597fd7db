import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";

/** Where Ostiary is and how it is spoken to. */
export interface ServerOptions {
  /** Ostiary's gRPC listener: `host:port` or `unix:PATH`. */
  target: string;
  /**
   * TLS: `true` for the system's roots, or PEM texts. Left out: plaintext, for
   * loopback and networks that encrypt by themselves.
   */
  tls?: true | TlsOptions;
  /**
   * Sent as `authorization: Bearer ...` with every call; a function is asked
   * before each, so that the token may change.
   */
  bearerToken?: string | (() => string | Promise<string>);
}

/** PEM texts. */
export interface TlsOptions {
  /** The certificates that are trusted. Left out: the system's. */
  rootCertificates?: string | Uint8Array;
  /** The client's own certificate chain, with `privateKey`. */
  certificateChain?: string | Uint8Array;
  /** The key of `certificateChain`. */
  privateKey?: string | Uint8Array;
}

// A part of a snapshot is about 1 MB; more than this is no Ostiary.
const MAX_MESSAGE_BYTES = 16 << 20;
const CHANNEL_OPTIONS: grpc.ChannelOptions = {
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  // Coming again is the feed's decision; the channel's own pause of up to two
  // minutes would be in its way.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1000,
  // A new connection is a new one, not a half-open one somebody else shares.
  "grpc.use_local_subchannel_pool": 1,
  "grpc.service_config_disable_resolution": 1,
  // Tokens go straight to Ostiary, not to what http_proxy names.
  "grpc.enable_http_proxy": 0,
};

/** One gRPC channel. Opens by itself when it is first used. */
export class Connection {
  private readonly client: grpc.Client;

  constructor(private readonly options: ServerOptions) {
    this.client = new grpc.Client(
      options.target, credentials(options.tls), CHANNEL_OPTIONS);
  }

  /** @throws grpc.ServiceError, or what `bearerToken` throws */
  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    timeoutMs: number,
  ): Promise<MessageShape<O>> {
    const deadline = Date.now() + timeoutMs;
    const metadata = await within(timeoutMs, this.metadata());
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest<MessageShape<I>, MessageShape<O>>(
        path(method),
        (message) => Buffer.from(toBinary(method.input, message)),
        (bytes) => fromBinary(method.output, bytes),
        create(method.input, request),
        metadata,
        { deadline },
        (error, response) => {
          if (error) reject(error);
          else resolve(response!);
        },
      );
    });
  }

  /** The stream ends with an `error` or an `end` event. */
  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
  ): Promise<grpc.ClientReadableStream<MessageShape<O>>> {
    const metadata = await this.metadata();
    return this.client.makeServerStreamRequest<MessageShape<I>, MessageShape<O>>(
      path(method),
      (message) => Buffer.from(toBinary(method.input, message)),
      (bytes) => fromBinary(method.output, bytes),
      create(method.input, request),
      metadata,
    );
  }

  close(): void {
    this.client.close();
  }

  private async metadata(): Promise<grpc.Metadata> {
    const metadata = new grpc.Metadata();
    const given = this.options.bearerToken;
    const token = typeof given === "function" ? await given() : given;
    if (token) metadata.set("authorization", `Bearer ${token}`);
    return metadata;
  }
}

// A bearer token that does not come must not hold a call for ever.
function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no bearer token in time")), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function path(method: DescMethodUnary | DescMethodServerStreaming): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function credentials(tls: ServerOptions["tls"]): grpc.ChannelCredentials {
  if (tls === undefined) return grpc.credentials.createInsecure();
  if (tls === true) return grpc.credentials.createSsl();
  return grpc.credentials.createSsl(
    pem(tls.rootCertificates), pem(tls.privateKey), pem(tls.certificateChain));
}

function pem(text: string | Uint8Array | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text as Uint8Array);
}
