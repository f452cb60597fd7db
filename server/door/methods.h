#ifndef OSTIARY_SERVER_DOOR_METHODS_H_
#define OSTIARY_SERVER_DOOR_METHODS_H_

#include <string>

#include "server/base/clock.h"
#include "server/door/gate.h"
#include "server/door/method_book.h"
#include "server/door/revocation_feed.h"
#include "server/flow/back_up.h"
#include "server/flow/change_password.h"
#include "server/flow/manage_accounts.h"
#include "server/flow/manage_sessions.h"
#include "server/flow/refresh.h"
#include "server/flow/revoke.h"
#include "server/flow/sign_in.h"
#include "server/flow/sign_out.h"
#include "server/flow/sign_up.h"
#include "server/flow/verify.h"
#include "server/key/key_encryption.h"
#include "server/key/key_ring.h"
#include "server/revocation/revocation_set.h"

// The handlers, a file for each service: proto in, flow, proto out.
namespace ostiary::door {

struct AuthFlows {
  const flow::SignUp& sign_up;
  const flow::SignIn& sign_in;
  const flow::Refresh& refresh;
  const flow::SignOut& sign_out;
  const flow::ChangePassword& change_password;
  const flow::ManageAccounts& accounts;
};
void ServeAuth(const AuthFlows& flows, MethodBook& book);

struct TokenFlows {
  const flow::Verify& verify;
  const flow::Revoke& revoke;
  const flow::ManageSessions& sessions;
  key::KeyRing& keys;
  const Clock& clock;
  std::string default_audience;
};
void ServeTokens(const TokenFlows& flows, MethodBook& book);

// Both faces of the gate: Envoy's and that of nginx and its like.
void ServeGateways(Gate& gate, MethodBook& book);

void ServeRevocations(RevocationFeed& feed, MethodBook& book);

struct KeyFlows {
  key::KeyRing& keys;
  key::KeyEncryption& encryption;
  const Clock& clock;
  jwt::Algorithm default_algorithm;
};
void ServeKeys(const KeyFlows& flows, MethodBook& book);

void ServeAccounts(const flow::ManageAccounts& accounts, MethodBook& book);
void ServeSessions(const flow::ManageSessions& sessions, MethodBook& book);

struct ServerFacts {
  std::string version;
  std::string issuer;
  std::string default_audience;
  std::string store;
  absl::Time start_time;
  const revocation::RevocationSet& revocations;
  const key::KeyRing& keys;
};
void ServeAdmin(const ServerFacts& facts, flow::BackUp& back_up,
                MethodBook& book);

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_METHODS_H_
