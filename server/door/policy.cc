#include "server/door/policy.h"

namespace ostiary::door {
namespace {

constexpr std::size_t kKiB = 1024;
// Slots are calls that gRPC can match at once; the rest waits inside gRPC.
constexpr int kBusy = 64;
constexpr int kSome = 16;
constexpr int kRare = 4;

}  // namespace

const std::vector<MethodRow>& PolicyTable() {
  using enum Access;
  using enum LaneName;
  static const auto& table = *new std::vector<MethodRow>{
      // name, access, lane, largest request, slots
      {"ostiary.v1.AuthService/SignUp", kIdentified, kPassword, 16 * kKiB,
       kSome},
      {"ostiary.v1.AuthService/SignInWithPassword", kAnyone, kPassword,
       16 * kKiB, kBusy},
      {"ostiary.v1.AuthService/Refresh", kAnyone, kStore, 4 * kKiB, kBusy},
      {"ostiary.v1.AuthService/SignOut", kAnyone, kStore, 4 * kKiB, kSome},
      {"ostiary.v1.AuthService/GetCurrentAccount", kAccount, kStore, 1 * kKiB,
       kSome},
      {"ostiary.v1.AuthService/ChangePassword", kAccount, kPassword, 16 * kKiB,
       kSome},

      {"ostiary.v1.TokenService/Verify", kAnonymous, kInline, 32 * kKiB, 128},
      // A hundred tokens of a little over 1 KB. At once where that is no more
      // than a few signatures.
      {"ostiary.v1.TokenService/BatchVerify", kAnonymous, kStore, 128 * kKiB,
       kBusy},
      {"ostiary.v1.TokenService/VerifyStream", kAnonymous, kStore, 128 * kKiB,
       kSome},
      {"ostiary.v1.TokenService/Revoke", kIdentified, kStore, 32 * kKiB, kSome},

      {"ostiary.v1.RevocationService/Watch", kService, kStream, 1 * kKiB,
       kSome},

      // A gateway sends all headers of the request that it holds.
      {"envoy.service.auth.v3.Authorization/Check", kService, kInline,
       128 * kKiB, 128},
      // The same over HTTP. It tells about a token what Verify tells anyone.
      {"/forward-auth", kAnyone, kInline, 4 * kKiB, 0},

      {"ostiary.v1.KeyService/GetJwks", kAnonymous, kInline, 1 * kKiB, kSome},
      {"ostiary.v1.KeyService/ListSigningKeys", kOperator, kInline, 1 * kKiB,
       kRare},
      {"ostiary.v1.KeyService/PrepareSigningKey", kOperator, kStore, 1 * kKiB,
       kRare},
      {"ostiary.v1.KeyService/ActivateSigningKey", kOperator, kStore, 1 * kKiB,
       kRare},
      {"ostiary.v1.KeyService/RetireSigningKey", kOperator, kStore, 1 * kKiB,
       kRare},
      {"ostiary.v1.KeyService/RevokeSigningKey", kOperator, kStore, 2 * kKiB,
       kRare},
      {"ostiary.v1.KeyService/ListKeyEncryptionKeys", kOperator, kStore,
       1 * kKiB, kRare},
      {"ostiary.v1.KeyService/RotateKeyEncryptionKey", kOperator, kStore,
       1 * kKiB, kRare},

      {"ostiary.v1.AccountService/CreateAccount", kOperator, kPassword,
       32 * kKiB, kRare},
      {"ostiary.v1.AccountService/GetAccount", kOperator, kStore, 2 * kKiB,
       kRare},
      {"ostiary.v1.AccountService/ListAccounts", kOperator, kStore, 2 * kKiB,
       kRare},
      {"ostiary.v1.AccountService/UpdateAccount", kOperator, kStore, 32 * kKiB,
       kRare},
      {"ostiary.v1.AccountService/DisableAccount", kOperator, kStore, 2 * kKiB,
       kRare},
      {"ostiary.v1.AccountService/EnableAccount", kOperator, kStore, 2 * kKiB,
       kRare},
      {"ostiary.v1.AccountService/DeleteAccount", kOperator, kStore, 2 * kKiB,
       kRare},
      {"ostiary.v1.AccountService/SetPassword", kOperator, kPassword, 16 * kKiB,
       kRare},
      {"ostiary.v1.AccountService/GrantRole", kOperator, kStore, 2 * kKiB,
       kRare},
      {"ostiary.v1.AccountService/RevokeRole", kOperator, kStore, 2 * kKiB,
       kRare},

      {"ostiary.v1.SessionService/ListSessions", kAccountOrOperator, kStore,
       2 * kKiB, kRare},
      {"ostiary.v1.SessionService/RevokeSession", kAccountOrOperator, kStore,
       2 * kKiB, kRare},
      {"ostiary.v1.SessionService/RevokeAllSessions", kAccountOrOperator,
       kStore, 2 * kKiB, kRare},

      {"ostiary.v1.AdminService/GetServerInfo", kOperator, kInline, 1 * kKiB,
       kRare},
      {"ostiary.v1.AdminService/BackUp", kOperator, kSlow, 8 * kKiB, kRare},
  };
  return table;
}

}  // namespace ostiary::door
