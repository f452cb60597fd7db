#ifndef OSTIARY_CLIENT_CPP_ANSWER_H_
#define OSTIARY_CLIENT_CPP_ANSWER_H_

#include "client/cpp/known_token.h"
#include "client/jwt/rejection.h"
#include "ostiary/refusal.h"
#include "ostiary/v1/token_service.pb.h"

namespace ostiary::client {

// From the words of others to ours.

Refusal RefusalOf(jwt::Rejection rejection);
// Of a verdict of the server; a reason that this library does not know is
// kCheckUnavailable.
Refusal RefusalOf(const v1::VerifyResponse& response);

// What the server said of a token it found good, and by which entries it would
// be hit here. `key_id`: as the token's own header names it.
KnownTokenPtr TokenOf(const v1::TokenClaims& claims, std::string key_id);

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_ANSWER_H_
