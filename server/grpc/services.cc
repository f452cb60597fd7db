#include "server/grpc/services.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "ostiary/v1/account_service.grpc.pb.h"
#include "ostiary/v1/admin_service.grpc.pb.h"
#include "ostiary/v1/auth_service.grpc.pb.h"
#include "ostiary/v1/key_service.grpc.pb.h"
#include "ostiary/v1/session_service.grpc.pb.h"
#include "ostiary/v1/token_service.grpc.pb.h"
#include "server/base/reason.h"

namespace ostiary::rpc {
namespace {

using v1::AccountService;
using v1::AdminService;
using v1::AuthService;
using v1::KeyService;
using v1::SessionService;
using v1::TokenService;

// One line of the wiring table. `Base` is deduced apart from `Service`: the
// generated request function belongs to a base class of AsyncService.
template <typename Service, typename Base, typename Req, typename Resp>
Wire Unary(typename Service::AsyncService& service, const char* method,
           void (Base::*function)(::grpc::ServerContext*, Req*,
                                  ::grpc::ServerAsyncResponseWriter<Resp>*,
                                  ::grpc::CompletionQueue*,
                                  ::grpc::ServerCompletionQueue*, void*)) {
  Base& base = service;
  return {absl::StrCat(Service::service_full_name(), "/", method),
          [&base, function](CallSlots& slots) -> std::unique_ptr<UnaryCall> {
            return std::make_unique<TypedUnaryCall<Base, Req, Resp>>(
                slots, base, function);
          }};
}

// A method without a row does not serve, and says so.
Method UnknownMethod(const std::string& name) {
  Method method;
  method.name = name;
  method.max_request_bytes = static_cast<std::size_t>(-1);
  method.serve = [](const door::CallContext&, google::protobuf::Message&,
                    google::protobuf::Message&, door::Door::Done done) {
    done(Refuse(Reason::kMethodUnknown));
  };
  return method;
}

Method ServedBy(door::Door& door, const door::MethodRow& row) {
  Method method;
  method.name = std::string(row.name);
  method.answering = row.lane == door::LaneName::kInline ? Answering::kInline
                                                         : Answering::kLane;
  method.max_request_bytes = row.max_request_bytes;
  method.slots = std::max(row.slots, 1);
  method.serve = [&door, &row](const door::CallContext& context,
                               google::protobuf::Message& request,
                               google::protobuf::Message& response,
                               door::Door::Done done) {
    door.Dispatch(row, context, request, response, std::move(done));
  };
  return method;
}

}  // namespace

struct Services::Contract {
  AccountService::AsyncService account;
  AdminService::AsyncService admin;
  AuthService::AsyncService auth;
  KeyService::AsyncService key;
  SessionService::AsyncService session;
  TokenService::AsyncService token;

  std::vector<std::pair<const char*, ::grpc::Service*>> All();
  std::vector<Wire> Wires();
};

std::vector<std::pair<const char*, ::grpc::Service*>>
Services::Contract::All() {
  return {{AccountService::service_full_name(), &account},
          {AdminService::service_full_name(), &admin},
          {AuthService::service_full_name(), &auth},
          {KeyService::service_full_name(), &key},
          {SessionService::service_full_name(), &session},
          {TokenService::service_full_name(), &token}};
}

// clang-format off
std::vector<Wire> Services::Contract::Wires() {
  using Account = AccountService::AsyncService;
  using Admin = AdminService::AsyncService;
  using Auth = AuthService::AsyncService;
  using Key = KeyService::AsyncService;
  using Session = SessionService::AsyncService;
  using Token = TokenService::AsyncService;
  return {
      Unary<AccountService>(account, "CreateAccount", &Account::RequestCreateAccount),
      Unary<AccountService>(account, "GetAccount", &Account::RequestGetAccount),
      Unary<AccountService>(account, "ListAccounts", &Account::RequestListAccounts),
      Unary<AccountService>(account, "UpdateAccount", &Account::RequestUpdateAccount),
      Unary<AccountService>(account, "DisableAccount", &Account::RequestDisableAccount),
      Unary<AccountService>(account, "EnableAccount", &Account::RequestEnableAccount),
      Unary<AccountService>(account, "DeleteAccount", &Account::RequestDeleteAccount),
      Unary<AccountService>(account, "SetPassword", &Account::RequestSetPassword),
      Unary<AccountService>(account, "GrantRole", &Account::RequestGrantRole),
      Unary<AccountService>(account, "RevokeRole", &Account::RequestRevokeRole),
      Unary<AdminService>(admin, "GetServerInfo", &Admin::RequestGetServerInfo),
      Unary<AuthService>(auth, "SignUp", &Auth::RequestSignUp),
      Unary<AuthService>(auth, "SignInWithPassword", &Auth::RequestSignInWithPassword),
      Unary<AuthService>(auth, "Refresh", &Auth::RequestRefresh),
      Unary<AuthService>(auth, "SignOut", &Auth::RequestSignOut),
      Unary<AuthService>(auth, "GetCurrentAccount", &Auth::RequestGetCurrentAccount),
      Unary<AuthService>(auth, "ChangePassword", &Auth::RequestChangePassword),
      Unary<KeyService>(key, "GetJwks", &Key::RequestGetJwks),
      Unary<KeyService>(key, "ListSigningKeys", &Key::RequestListSigningKeys),
      Unary<KeyService>(key, "PrepareSigningKey", &Key::RequestPrepareSigningKey),
      Unary<KeyService>(key, "ActivateSigningKey", &Key::RequestActivateSigningKey),
      Unary<KeyService>(key, "RetireSigningKey", &Key::RequestRetireSigningKey),
      Unary<KeyService>(key, "RevokeSigningKey", &Key::RequestRevokeSigningKey),
      Unary<SessionService>(session, "ListSessions", &Session::RequestListSessions),
      Unary<SessionService>(session, "RevokeSession", &Session::RequestRevokeSession),
      Unary<SessionService>(session, "RevokeAllSessions", &Session::RequestRevokeAllSessions),
      Unary<TokenService>(token, "Verify", &Token::RequestVerify),
      Unary<TokenService>(token, "BatchVerify", &Token::RequestBatchVerify),
      Unary<TokenService>(token, "Revoke", &Token::RequestRevoke),
  };
}
// clang-format on

absl::StatusOr<std::unique_ptr<Services>> Services::Create(door::Door& door) {
  std::unique_ptr<Services> services(new Services(door));
  if (absl::Status s = services->CheckEveryMethodIsWired(); !s.ok()) return s;
  if (absl::Status s = services->CheckEveryRowIsWired(); !s.ok()) return s;
  services->MakeMethods();
  return services;
}

Services::Services(door::Door& door)
    : door_(door),
      contract_(std::make_unique<Contract>()),
      wires_(contract_->Wires()) {
  for (const auto& [name, service] : contract_->All()) names_.push_back(name);
}

Services::~Services() = default;

absl::Status Services::CheckEveryMethodIsWired() const {
  for (const std::string& service : names_) {
    const google::protobuf::ServiceDescriptor* described =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
            service);
    if (described == nullptr) {
      return absl::InternalError(
          absl::StrCat("gRPC: no descriptor of ", service));
    }
    for (int i = 0; i < described->method_count(); ++i) {
      const std::string name =
          absl::StrCat(service, "/", described->method(i)->name());
      if (IsWired(name)) continue;
      return absl::InternalError(absl::StrCat(
          "gRPC: the contract's method ", name,
          " has no line in the wiring table: its callers would hang"));
    }
  }
  return absl::OkStatus();
}

absl::Status Services::CheckEveryRowIsWired() const {
  for (const door::MethodRow* row : door_.Methods()) {
    if (IsWired(row->name)) continue;
    return absl::InternalError(absl::StrCat(
        "gRPC: the policy table has a row for ", row->name,
        ", but no service of the contract has such a method wired"));
  }
  return absl::OkStatus();
}

bool Services::IsWired(absl::string_view name) const {
  return std::any_of(wires_.begin(), wires_.end(),
                     [&](const Wire& wire) { return wire.name == name; });
}

void Services::MakeMethods() {
  for (const Wire& wire : wires_) {
    const door::MethodRow* row = door_.Find(wire.name);
    methods_.push_back(row == nullptr ? UnknownMethod(wire.name)
                                      : ServedBy(door_, *row));
  }
}

std::size_t Services::LargestRequest() const {
  std::size_t largest = 0;
  for (const door::MethodRow* row : door_.Methods())
    largest = std::max(largest, row->max_request_bytes);
  return largest;
}

void Services::Register(::grpc::ServerBuilder& builder) {
  for (const auto& [name, service] : contract_->All())
    builder.RegisterService(service);
}

std::vector<std::unique_ptr<CallSlots>> Services::Arm(
    Traffic& traffic, ::grpc::ServerCompletionQueue& queue) {
  std::vector<std::unique_ptr<CallSlots>> armed;
  for (std::size_t i = 0; i < wires_.size(); ++i) {
    armed.push_back(std::make_unique<CallSlots>(methods_[i], traffic, queue,
                                                wires_[i].make));
    armed.back()->Fill();
  }
  return armed;
}

}  // namespace ostiary::rpc
