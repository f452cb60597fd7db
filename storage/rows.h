#ifndef OSTIARY_STORAGE_ROWS_H_
#define OSTIARY_STORAGE_ROWS_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace ostiary::storage {

// The key of an account or a session: 16 bytes, time-ordered.
using Key16 = std::array<std::uint8_t, 16>;

// Times are stored in microseconds; what is finer is cut off.
// absl::InfinitePast() stands for "never" and is stored as NULL.

// One person or machine that can sign in.
struct AccountRow {
  Key16 account_id{};
  std::string username;      // as written; empty: none
  std::string username_key;  // normalised, unique; empty: none
  std::string email;         // as written; empty: none
  std::string email_key;     // normalised, unique; empty: none
  bool email_verified = false;
  std::string display_name;
  std::vector<std::string> roles;  // sorted, without duplicates
  bool disabled = false;
  std::string metadata_json;  // a JSON object; empty: {}
  // Rises whenever what the account's access tokens say stops being true.
  std::uint32_t generation = 1;
  // Sessions opened below this generation cannot refresh.
  std::uint32_t session_floor = 1;
  // Rises with every change of the password, not with an upgrade of its hash.
  std::uint32_t credential_version = 1;
  std::string
      password_hash;  // a PHC or modular crypt string; empty: no password
  absl::Time create_time = absl::InfinitePast();
  absl::Time update_time = absl::InfinitePast();

  friend bool operator==(const AccountRow&, const AccountRow&) = default;
};

// The refresh tokens descended from one sign-in. At most one of them is live.
struct SessionRow {
  Key16 session_id{};
  Key16 account_id{};
  std::string client_id;
  std::string audience;
  std::string scope;         // granted at sign-in, space separated
  std::string minted_scope;  // of the newest access token; within `scope`
  std::string user_agent;    // as presented, bounded by the caller
  std::string address;       // as seen, without the port
  std::string amr;  // how the account proved itself, space separated (RFC 8176)
  // The account's generation when the session was opened or re-stamped.
  std::uint32_t opened_generation = 1;
  // The generation of the one live refresh token; counts from 1.
  std::uint32_t generation = 1;
  // How often generations in a row were reached by a retry; the room `session`
  // knows the encoding.
  std::uint32_t retried_in_row = 0;
  // From which networks its tokens came lately; the room `session` knows the
  // encoding. 0: not known.
  std::int64_t networks = 0;
  std::string salt;  // 32 random bytes; the refresh key alone forges nothing
  std::string refresh_key_id;   // which refresh key made the tags
  std::string request_id_hash;  // of the rotation to `generation`; empty: none
                                // was given
  absl::Time create_time = absl::InfinitePast();  // = auth_time
  absl::Time rotated_at =
      absl::InfinitePast();  // when `generation` was reached
  absl::Time minted_at =
      absl::InfinitePast();  // iat of the newest access token
  absl::Time access_expire_time =
      absl::InfinitePast();  // exp of the newest access token
  absl::Time idle_expire_time = absl::InfinitePast();
  absl::Time expire_time = absl::InfinitePast();  // absolute
  absl::Time revoke_time = absl::InfinitePast();  // InfinitePast: not revoked

  bool revoked() const { return revoke_time != absl::InfinitePast(); }
  friend bool operator==(const SessionRow&, const SessionRow&) = default;
};

// What a ledger row ends. Values live on disk and on the wire.
enum class LedgerKind : std::uint8_t {
  kToken = 1,    // key: the jti
  kSession = 2,  // key: the sid
  kAccount = 3,  // key: the sub; ends tokens with gen < min_generation
  kClient = 4,   // key: the client_id; ends tokens with iat <= issued_before
  kKey = 5,      // key: the kid; never expires
  kAll = 6,      // key: empty; ends tokens with iat <= issued_before
};

// One revocation. Immutable once committed.
struct LedgerRow {
  std::int64_t sequence = 0;  // gap-free from 1, in the order of commits
  LedgerKind kind = LedgerKind::kToken;
  std::string key;  // the text of the claim it is compared with
  std::uint64_t min_generation =
      0;  // kAccount: epoch * 2^32 + account generation
  absl::Time issued_before = absl::InfinitePast();  // kClient, kAll
  absl::Time commit_time = absl::InfinitePast();
  absl::Time expire_time =
      absl::InfiniteFuture();  // may be forgotten from then on
  std::string reason;          // for people, bounded by the caller
  std::uint64_t check = 0;     // running hash over all rows up to this one

  friend bool operator==(const LedgerRow&, const LedgerRow&) = default;
};

// Where the ledger ends.
struct LedgerHead {
  std::uint32_t epoch = 1;    // rises with every restore or failover
  std::int64_t sequence = 0;  // of the newest row; 0: none
  std::uint64_t check = 0;    // of the newest row

  friend bool operator==(const LedgerHead&, const LedgerHead&) = default;
};

// A published list with one bit for each slot: whether the tokens that point
// to it are still valid.
struct StatusListRow {
  Key16 list_id{};
  std::uint32_t slots = 0;
  absl::Time open_time = absl::InfinitePast();
  // From then on no token is made to point to it.
  absl::Time close_time = absl::InfinitePast();
  // From then on no token that points to it lives; it may be forgotten.
  absl::Time expire_time = absl::InfinitePast();
  // Every slot says "not valid", whatever the slots themselves say.
  bool invalidated = false;

  friend bool operator==(const StatusListRow&, const StatusListRow&) = default;
};

// One slot of a list; its number is the `idx` of tokens.
struct StatusSlot {
  Key16 list_id{};
  std::uint32_t slot = 0;

  friend bool operator==(const StatusSlot&, const StatusSlot&) = default;
};

// A slot that was given to a session. The session's access tokens share it
// until it is flipped or its list closes.
struct StatusSlotRow {
  StatusSlot place;
  Key16 session_id{};
  std::string client_id;
  absl::Time take_time = absl::InfinitePast();  // when it was given
  bool flipped = false;                         // "no longer valid"

  friend bool operator==(const StatusSlotRow&, const StatusSlotRow&) = default;
};

// A key of ours, sealed. The room `key` knows what the bytes mean.
struct KeyRow {
  std::string key_id;
  std::string purpose;  // "access", "refresh", ...
  std::string
      algorithm;       // "ES256", ...; for symmetric keys the name of the use
  std::string state;   // "prepared", "active", "retired", "revoked"
  std::string sealed;  // the private part under the key-encryption key
  std::string public_jwk;  // JSON; empty for symmetric keys
  absl::Time create_time = absl::InfinitePast();
  absl::Time activate_time = absl::InfinitePast();
  absl::Time retire_time = absl::InfinitePast();
  absl::Time revoke_time = absl::InfinitePast();

  friend bool operator==(const KeyRow&, const KeyRow&) = default;
};

// What happened, for people who must be able to find out. Never a secret.
struct AuditRow {
  std::int64_t audit_id = 0;  // assigned by the store, rising
  absl::Time time = absl::InfinitePast();
  std::string action;      // "sign_in", "session.revoke", ...
  std::string outcome;     // "ok", or the true reason of a refusal
  std::string actor;       // "operator", "acct_...", "anonymous"
  std::string account_id;  // the account it is about, as text; empty: none
  std::string session_id;
  std::string client_id;
  std::string address;
  std::string detail;  // JSON object; empty: {}

  friend bool operator==(const AuditRow&, const AuditRow&) = default;
};

}  // namespace ostiary::storage

#endif  // OSTIARY_STORAGE_ROWS_H_
