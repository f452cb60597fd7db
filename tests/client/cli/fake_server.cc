#include "tests/client/cli/fake_server.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/server_builder.h"
#include "ostiary/v1/account_service.grpc.pb.h"
#include "ostiary/v1/admin_service.grpc.pb.h"
#include "ostiary/v1/auth_service.grpc.pb.h"
#include "ostiary/v1/key_service.grpc.pb.h"
#include "ostiary/v1/revocation_service.grpc.pb.h"
#include "ostiary/v1/session_service.grpc.pb.h"
#include "ostiary/v1/token_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

using google::protobuf::Message;
using grpc::ServerContext;
using grpc::Status;

std::string HeaderOf(const ServerContext& context, const char* name) {
  const auto found = context.client_metadata().find(name);
  if (found == context.client_metadata().end()) return "";
  return std::string(found->second.data(), found->second.size());
}

// Notes the call; the status every method begins with.
Status Begin(Script& script, ServerContext& context, const char* method,
             const Message& request) {
  {
    const std::lock_guard lock(script.mutex);
    script.calls.push_back(
        absl::StrCat(method, " {", request.ShortDebugString(), "}"));
    script.authorization = HeaderOf(context, "authorization");
    script.user_agent = HeaderOf(context, "user-agent");
  }
  while (script.never_answers && !context.IsCancelled()) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  return script.failure;
}

v1::TokenSet SomeTokens() {
  v1::TokenSet tokens;
  tokens.set_access_token("access");
  tokens.set_token_type("Bearer");
  tokens.mutable_expires_in()->set_seconds(900);
  tokens.set_refresh_token("ort_next");
  tokens.set_session_id("sess_1");
  return tokens;
}

// One method: `Rpc(GetAccount) { body } ` sees `script`, `request`, `response`.
#define RPC(method)                                                         \
  Status method(ServerContext* context, const v1::method##Request* request, \
                v1::method##Response* response) override {                  \
    const Status begun = Begin(script, *context, #method, *request);        \
    if (!begun.ok()) return begun;                                          \
    Answer(*request, *response);                                            \
    return Status::OK;                                                      \
  }                                                                         \
  void Answer([[maybe_unused]] const v1::method##Request& request,          \
              [[maybe_unused]] v1::method##Response& response)

struct Accounts final : v1::AccountService::Service {
  explicit Accounts(Script& s) : script(s) {}

  v1::Account First() const {
    return script.accounts.empty() ? v1::Account() : script.accounts.front();
  }

  RPC(CreateAccount) {
    response.mutable_account()->set_account_id("acct_new");
    response.mutable_account()->set_username(request.username());
  }
  RPC(GetAccount) { *response.mutable_account() = First(); }
  // The page token is the index of the first account.
  RPC(ListAccounts) {
    const auto all = static_cast<int>(script.accounts.size());
    const int from =
        request.page_token().empty() ? 0 : std::stoi(request.page_token());
    const int to = std::min(all, from + request.page_size());
    for (int i = from; i < to; ++i) {
      *response.add_accounts() = script.accounts[static_cast<std::size_t>(i)];
    }
    if (to < all) response.set_next_page_token(absl::StrCat(to));
  }
  RPC(UpdateAccount) { *response.mutable_account() = request.account(); }
  RPC(DisableAccount) {
    *response.mutable_account() = First();
    response.set_revision("r1");
  }
  RPC(EnableAccount) { *response.mutable_account() = First(); }
  RPC(DeleteAccount) { response.set_revision("r2"); }
  RPC(SetPassword) { response.set_revision("r3"); }
  RPC(GrantRole) { *response.mutable_account() = First(); }
  RPC(RevokeRole) {
    *response.mutable_account() = First();
    response.set_revision("r4");
  }

  Script& script;
};

struct Auth final : v1::AuthService::Service {
  explicit Auth(Script& s) : script(s) {}
  RPC(SignInWithPassword) { *response.mutable_tokens() = SomeTokens(); }
  RPC(Refresh) { *response.mutable_tokens() = SomeTokens(); }
  RPC(SignOut) { response.set_revision("r5"); }
  Script& script;
};

struct Tokens final : v1::TokenService::Service {
  explicit Tokens(Script& s) : script(s) {}
  RPC(Verify) {
    response.set_valid(script.token_is_valid);
    if (script.token_is_valid) {
      response.mutable_claims()->set_subject("acct_1");
    } else {
      response.set_reason("TOKEN_REVOKED");
    }
  }
  RPC(Revoke) { response.set_revision("r6"); }
  Script& script;
};

struct Sessions final : v1::SessionService::Service {
  explicit Sessions(Script& s) : script(s) {}
  RPC(ListSessions) {
    v1::Session& session = *response.add_sessions();
    session.set_session_id("sess_1");
    session.set_user_agent("curl\x1b[2J");
    session.mutable_create_time()->set_seconds(1767225600);
  }
  RPC(RevokeSession) { response.set_revision("r7"); }
  RPC(RevokeAllSessions) { response.set_revision("r8"); }
  Script& script;
};

struct Keys final : v1::KeyService::Service {
  explicit Keys(Script& s) : script(s) {}
  RPC(ListSigningKeys) {
    for (const auto& key : script.keys) *response.add_signing_keys() = key;
  }
  RPC(PrepareSigningKey) { response.mutable_signing_key()->set_key_id("made"); }
  RPC(ActivateSigningKey) {
    response.mutable_signing_key()->set_key_id(request.key_id());
    response.mutable_signing_key()->set_state(v1::SIGNING_KEY_STATE_ACTIVE);
  }
  RPC(RetireSigningKey) {
    response.mutable_signing_key()->set_key_id(request.key_id());
  }
  RPC(RevokeSigningKey) {
    response.mutable_signing_key()->set_key_id(request.key_id());
    response.set_revision("r9");
  }
  RPC(ListKeyEncryptionKeys) {
    auto& key = *response.add_key_encryption_keys();
    key.set_key_encryption_key_id("0a1b2c3d");
    key.set_state(v1::KEY_ENCRYPTION_KEY_STATE_SEALING);
    key.set_sealed_count(5);
  }
  RPC(RotateKeyEncryptionKey) {
    response.set_resealed_count(5);
    response.set_left_in_file("kek: cannot replace it");
  }
  Script& script;
};

struct Admin final : v1::AdminService::Service {
  explicit Admin(Script& s) : script(s) {}
  RPC(GetServerInfo) {
    response.set_version("0.1.0");
    response.set_issuer("http://127.0.0.1:8080");
    response.set_live_revocations(7);
  }
  RPC(BackUp) {
    v1::Backup& backup = *response.mutable_backup();
    backup.set_path(request.path().empty() ? "/srv/backups/made.db"
                                           : request.path());
    backup.set_size_bytes(123456);
    backup.set_sha256(std::string(64, 'a'));
    backup.set_epoch(3);
    backup.set_sequence(41);
  }
  Script& script;
};

#undef RPC

struct Revocations final : v1::RevocationService::Service {
  explicit Revocations(Script& s) : script(s) {}
  Status Watch(ServerContext* context, const v1::WatchRequest* request,
               grpc::ServerWriter<v1::WatchResponse>* writer) override {
    const Status begun = Begin(script, *context, "Watch", *request);
    if (!begun.ok()) return begun;
    if (script.streams.empty()) {
      return Status(grpc::StatusCode::UNAVAILABLE, "no stream is left");
    }
    const Script::Stream stream = std::move(script.streams.front());
    script.streams.pop_front();
    for (const auto& frame : stream.frames) writer->Write(frame);
    while (!stream.end && !context->IsCancelled()) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    return stream.end.value_or(Status::OK);
  }
  Script& script;
};

struct Health final : grpc::health::v1::Health::Service {
  explicit Health(Script& s) : script(s) {}
  Status Check(ServerContext* context,
               const grpc::health::v1::HealthCheckRequest* request,
               grpc::health::v1::HealthCheckResponse* response) override {
    using grpc::health::v1::HealthCheckResponse;
    const Status begun = Begin(script, *context, "Check", *request);
    if (!begun.ok()) return begun;
    response->set_status(script.serving ? HealthCheckResponse::SERVING
                                        : HealthCheckResponse::NOT_SERVING);
    return Status::OK;
  }
  Script& script;
};

}  // namespace

grpc::Status Failure(grpc::StatusCode code, const std::string& message,
                     const std::vector<const Message*>& details) {
  google::rpc::Status status;
  status.set_code(code);
  status.set_message(message);
  for (const Message* detail : details) {
    status.add_details()->PackFrom(*detail);
  }
  return grpc::Status(code, message, status.SerializeAsString());
}

class FakeServer::Services {
 public:
  explicit Services(Script& script)
      : accounts_(script),
        auth_(script),
        tokens_(script),
        sessions_(script),
        keys_(script),
        admin_(script),
        revocations_(script),
        health_(script) {}

  void RegisterWith(grpc::ServerBuilder& builder) {
    builder.RegisterService(&accounts_);
    builder.RegisterService(&auth_);
    builder.RegisterService(&tokens_);
    builder.RegisterService(&sessions_);
    builder.RegisterService(&keys_);
    builder.RegisterService(&admin_);
    builder.RegisterService(&revocations_);
    builder.RegisterService(&health_);
  }

 private:
  Accounts accounts_;
  Auth auth_;
  Tokens tokens_;
  Sessions sessions_;
  Keys keys_;
  Admin admin_;
  Revocations revocations_;
  Health health_;
};

FakeServer::FakeServer(std::shared_ptr<grpc::ServerCredentials> tcp_credentials)
    : services_(std::make_unique<Services>(script_)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket(),
                           grpc::experimental::LocalServerCredentials(UDS));
  if (tcp_credentials != nullptr) {
    builder.AddListeningPort("127.0.0.1:0", std::move(tcp_credentials), &port_);
  }
  services_->RegisterWith(builder);
  server_ = builder.BuildAndStart();
}

FakeServer::~FakeServer() { server_->Shutdown(); }

}  // namespace ostiary::cli
