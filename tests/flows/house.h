#ifndef OSTIARY_TESTS_FLOWS_HOUSE_H_
#define OSTIARY_TESTS_FLOWS_HOUSE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/random.h"
#include "server/client_app/clients.h"
#include "server/flow/change_password.h"
#include "server/flow/manage_accounts.h"
#include "server/flow/manage_sessions.h"
#include "server/flow/new_password.h"
#include "server/flow/refresh.h"
#include "server/flow/revoke.h"
#include "server/flow/sign_in.h"
#include "server/flow/sign_out.h"
#include "server/flow/sign_up.h"
#include "server/flow/token_issuer.h"
#include "server/flow/verify.h"
#include "server/key/key_ring.h"
#include "server/key/symmetric_keys.h"
#include "server/password/hash_workers.h"
#include "server/status_list/slot_issuer.h"
#include "storage/store.h"
#include "tests/support/temp_dir.h"

namespace ostiary::testing {

inline constexpr char kIssuer[] = "https://id.example";
inline constexpr char kPassword[] = "quill anchor 48 meadow";
inline constexpr char kNewPassword[] = "lantern 95 gravel otter";

// The real lane, watched: how many turns were taken, and a hook that runs
// after a hash and before its caller goes on, where races happen.
class WatchedLane final : public password::HashLane {
 public:
  explicit WatchedLane(password::HashLane& inner) : inner_(inner) {}
  absl::Status Run(const password::HashRequest& request,
                   absl::FunctionRef<void()> work) override;

  int turns() const { return turns_; }
  std::size_t last_memory() const { return last_memory_; }
  // Runs once, after the next hash.
  void AfterNext(std::function<void()> hook) { hook_ = std::move(hook); }
  // The next turns are refused with this instead; OK: no longer.
  void Refuse(absl::Status status) { refusal_ = std::move(status); }

 private:
  password::HashLane& inner_;
  std::atomic<int> turns_{0};
  std::atomic<std::size_t> last_memory_{0};
  std::function<void()> hook_;
  absl::Status refusal_;
};

struct HouseOptions {
  std::vector<std::string> audiences = {"api", kIssuer};
  std::vector<std::string> scopes = {"read", "write"};
  session::Lifetimes lifetimes = {};
  session::RotationPolicy rotation = {};
  std::size_t max_sessions = 100;
  limit::SignInLimiter::Options sign_in_limits = {};
  limit::Rule sign_up_limit{1000, absl::Minutes(1)};
  flow::SignUpPolicy sign_up = flow::SignUpPolicy::kOpen;
  password::HashParameters hash{1024, 2};
  int readers = 2;
  status_list::Issuing status_lists = status_list::Issuing::kOff;
  int list_bits = 20;
  flow::Verify::Encode encode = [](const jwt::Claims&) { return ""; };
  // Instead of the house's own; outlives it.
  const Clock* other_clock = nullptr;
  // Puts a store ("store.db") of earlier days into the folder before it is
  // opened, and winds the clock on to them; none: the house begins empty.
  std::function<void(const TempDir& dir, ManualClock& clock)> furnish;
};

// What the store's writer tells; it outlives the store.
struct Aftermath {
  revocation::RevocationSet revocations;
  session::ServingTime serving_time;
  status_list::ListBook status_lists;
  status_list::Sweep sweep;
};

class OpenedRefreshKeys final : public session::RefreshKeys {
 public:
  explicit OpenedRefreshKeys(const key::SymmetricKeys& keys) : keys_(keys) {}
  std::string newest_id() const override { return keys_.newest().key_id; }
  const SecretBytes* Find(absl::string_view key_id) const override {
    const key::SymmetricKey* key = keys_.Find(key_id);
    return key == nullptr ? nullptr : &key->bytes;
  }

 private:
  const key::SymmetricKeys& keys_;
};

// Every room of one run of the house, in the order of server/assembly.cc.
struct Rooms {
  Rooms(const HouseOptions& house, const Clock& the_clock,
        std::unique_ptr<Aftermath> told, std::unique_ptr<storage::Store> opened,
        const key::KeyEncryptionKey& kek, const std::string& revoked_keys_file);

  const HouseOptions& options;
  const Clock& clock;
  std::unique_ptr<Aftermath> aftermath;
  std::unique_ptr<storage::Store> store;
  SystemRandom random;
  Logger logger{LogFormat::kText, LogLevel::kError};
  std::unique_ptr<key::KeyRing> keys;
  key::SymmetricKeys refresh_sealed;
  key::SymmetricKeys identifier_keys;
  key::SymmetricKeys decoy_keys;
  absl::Duration ceiling;
  token::AccessTokenMinter minter;

  OpenedRefreshKeys refresh_keys{refresh_sealed};
  session::Sessions sessions{random,
                             refresh_keys,
                             aftermath->serving_time,
                             options.lifetimes,
                             options.rotation,
                             options.max_sessions};
  status_list::SlotIssuer slots{
      random,
      aftermath->status_lists,
      aftermath->sweep,
      {options.status_lists, ceiling, options.list_bits}};
  client_app::Clients clients{{"api", options.audiences, options.scopes}};
  limit::SignInLimiter limiter{options.sign_in_limits, random};
  limit::RateLimiter sign_up_limiter{options.sign_up_limit, 1024, random};
  password::PasswordPolicy policy{{}};
  password::HashWorkers workers{{.threads = 2}, clock};
  WatchedLane lane{workers};
  password::Passwords passwords{
      options.hash, lane, random,
      SecretBytes::CopyOf(decoy_keys.newest().bytes.Reveal())};
  token::VerifiedTokenCache cache{1024};

  flow::TokenIssuer issuer{clock, *keys, sessions, minter,
                           aftermath->revocations};
  flow::NewPasswords new_passwords{policy, passwords};
  flow::Verify verify;
  flow::SignUp sign_up{clock,         random,          *store,
                       new_passwords, sign_up_limiter, options.sign_up};
  flow::SignIn sign_in{
      {clock, *store, clients, limiter, passwords, sessions, slots, issuer},
      ceiling,
      identifier_keys.newest().bytes};
  flow::Refresh refresh{clock,  *store,  sessions, slots,
                        issuer, ceiling, logger};
  flow::SignOut sign_out{clock, *store, sessions, ceiling};
  flow::ChangePassword change_password{clock,     *store,        limiter,
                                       passwords, new_passwords, ceiling};
  flow::ManageAccounts accounts{clock, random, *store, new_passwords, ceiling};
  flow::ManageSessions manage_sessions{clock, *store, ceiling};
  flow::Revoke revoke{clock, *store, verify, ceiling};
};

// The real rooms over a real SQLite file, joined as server/assembly.cc joins
// them but without lanes, door and wires. Time stands still until it is told.
class House {
 public:
  explicit House(HouseOptions options = {});
  ~House();

  // As a process that ends and comes up again after `down`.
  void Restart(absl::Duration down = absl::ZeroDuration());
  // The same for a clock of one's own, which `meanwhile` moves.
  void RestartAfter(const std::function<void()>& meanwhile);

  // --- What happened.
  std::vector<storage::LedgerRow> Ledger();
  std::vector<storage::AuditRow> Audit();
  storage::AuditRow LastAudit() { return Audit().back(); }
  storage::SessionRow Session(const SessionId& session_id);
  std::optional<storage::AccountRow> Account(const AccountId& account_id);
  storage::LedgerHead Head();

  // --- Short ways through the ordinary.
  AccountId SignUp(const std::string& username,
                   const std::string& password = kPassword);
  absl::StatusOr<flow::IssuedTokens> TrySignIn(
      const std::string& identifier, const std::string& password = kPassword,
      const std::string& scope = "", const std::string& audience = "");
  flow::IssuedTokens SignIn(const std::string& identifier,
                            const std::string& password = kPassword,
                            const std::string& scope = "");
  absl::StatusOr<flow::IssuedTokens> TryRefresh(const std::string& token,
                                                const std::string& scope = "",
                                                const std::string& id = "");
  flow::IssuedTokens Refresh(const std::string& token);
  absl::StatusOr<std::string> ChangePassword(const flow::IssuedTokens& as,
                                             const std::string& current,
                                             const std::string& wanted);

  // Why Verify refuses the token; "" if it is good for `audience`.
  std::string Verdict(const std::string& access_token,
                      const std::string& audience = "api");
  // What the token says; it must be authentic, not live.
  jwt::Claims Claims(const std::string& access_token);

  // --- Callers.
  static flow::Caller Anyone();
  static flow::Caller AnyoneFrom(const std::string& address);
  static flow::Caller Operator();
  flow::Caller As(const flow::IssuedTokens& tokens);

  // The tables, for making a state that no flow makes.
  absl::Status Write(absl::FunctionRef<absl::Status(storage::WriteTx&)> fn);

  Rooms* operator->() { return rooms_.get(); }

  const HouseOptions options;
  TempDir dir;
  ManualClock clock{absl::FromUnixMillis(1'700'000'000'250)};

 private:
  void Open(std::optional<absl::Time> closed_at);

  const key::KeyEncryptionKey kek_;
  std::unique_ptr<Rooms> rooms_;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_FLOWS_HOUSE_H_
