#ifndef OSTIARY_SERVER_DOOR_MESSAGES_H_
#define OSTIARY_SERVER_DOOR_MESSAGES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/jwt/jwk.h"
#include "client/jwt/token.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "ostiary/v1/account.pb.h"
#include "ostiary/v1/key_service.pb.h"
#include "ostiary/v1/session_service.pb.h"
#include "ostiary/v1/token_service.pb.h"
#include "ostiary/v1/token_set.pb.h"
#include "server/base/secret.h"
#include "server/flow/token_issuer.h"
#include "server/key/key_view.h"
#include "storage/rows.h"

// What is inside, as it is said outside.
namespace ostiary::door {

// Leaves the message unset for absl::InfinitePast() ("never").
void SetTime(absl::Time time, google::protobuf::Timestamp& out);
void SetDuration(absl::Duration duration, google::protobuf::Duration& out);

void ToMessage(const storage::AccountRow& row, v1::Account& out);
void ToMessage(const flow::IssuedTokens& tokens, v1::TokenSet& out);
void ToMessage(const jwt::Claims& claims, v1::TokenClaims& out);
// What Verify answers about a good token of these claims, serialized.
std::string EncodeVerdict(const jwt::Claims& claims);
void ToMessage(const storage::SessionRow& row, v1::Session& out);
void ToMessage(const key::KeyInfo& key, v1::SigningKey& out);
void ToMessage(const jwt::PublicJwk& jwk, v1::JsonWebKey& out);

// A Struct as JSON text and back; kArgumentInvalid about `field` if it is
// longer than `max_bytes`, deeper than 16 or holds what JSON cannot say.
absl::StatusOr<std::string> StructToJson(const google::protobuf::Struct& object,
                                         std::size_t max_bytes,
                                         absl::string_view field);
// Only for text that StructToJson made; anything else gives an empty object.
void JsonToStruct(const std::string& json, google::protobuf::Struct& out);

// The `reason` an operator gives for the audit log: at most 200 bytes of text.
absl::Status CheckReason(const std::string& reason);

// The text of a request's field as a secret; the field is wiped.
SecretBytes TakeSecret(std::string& field);

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_MESSAGES_H_
