#include "tests/flows/house.h"

#include <utility>

#include "server/revocation/access_ceiling.h"
#include "server/revocation/past_epochs.h"
#include "storage/open_store.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

constexpr std::size_t kAll = 100000;

storage::StoreListener ListenerOf(Aftermath& aftermath) {
  storage::StoreListener listener;
  listener.on_ledger = [&aftermath](
                           const storage::LedgerHead& head,
                           const std::vector<storage::LedgerRow>& rows) {
    aftermath.revocations.Apply(head, rows);
    aftermath.sweep.Announce(rows);
  };
  listener.on_status_flips =
      [&aftermath](const std::vector<storage::StatusSlot>& flipped) {
        aftermath.status_lists.Apply(flipped);
      };
  return listener;
}

void LoadLedger(storage::Store& store, Aftermath& aftermath) {
  if (!aftermath.status_lists.Load(store).ok()) std::abort();
  if (!aftermath.sweep.Load(store).ok()) std::abort();
  const absl::Status status =
      store.Read([&](storage::ReadTx& tx) -> absl::Status {
        auto head = tx.ledger().Head();
        if (!head.ok()) return head.status();
        auto rows = tx.ledger().After(0, kAll);
        if (!rows.ok()) return rows.status();
        aftermath.revocations.Apply(*head, *rows);
        aftermath.sweep.Announce(*rows);
        return absl::OkStatus();
      });
  if (!status.ok()) std::abort();
}

std::unique_ptr<key::KeyRing> LoadKeys(storage::Store& store,
                                       const key::KeyEncryptionKey& kek,
                                       const std::string& revoked_keys_file,
                                       const Clock& clock) {
  key::KeyRingOptions options;
  options.revoked_keys_file = revoked_keys_file;
  return ValueOf(key::KeyRing::Load(store, kek, clock, options));
}

jwt::Verifier MakeVerifier() {
  jwt::VerifierOptions options;
  options.issuer = kIssuer;
  options.algorithms = {jwt::Algorithm::kEs256, jwt::Algorithm::kRs256,
                        jwt::Algorithm::kEdDsa};
  options.maximum_lifetime = key::kAccessLifetimeCap;
  return ValueOf(jwt::Verifier::Create(options));
}

}  // namespace

absl::Status WatchedLane::Run(const password::HashRequest& request,
                              absl::FunctionRef<void()> work) {
  if (!refusal_.ok()) return refusal_;
  ++turns_;
  last_memory_ = request.memory_bytes;
  const absl::Status status = inner_.Run(request, work);
  // Taken out first: the hook may hash, too.
  if (auto hook = std::exchange(hook_, nullptr)) hook();
  return status;
}

Rooms::Rooms(const HouseOptions& house, const Clock& the_clock,
             std::unique_ptr<Aftermath> told,
             std::unique_ptr<storage::Store> opened,
             const key::KeyEncryptionKey& kek,
             const std::string& revoked_keys_file)
    : options(house),
      clock(the_clock),
      aftermath(std::move(told)),
      store(std::move(opened)),
      keys(LoadKeys(*store, kek, revoked_keys_file, clock)),
      refresh_sealed(ValueOf(key::SymmetricKeys::LoadOrCreate(
          *store, kek, key::kRefreshPurpose, random, clock.Now()))),
      identifier_keys(ValueOf(key::SymmetricKeys::LoadOrCreate(
          *store, kek, key::kIdentifierHashPurpose, random, clock.Now()))),
      decoy_keys(ValueOf(key::SymmetricKeys::LoadOrCreate(
          *store, kek, key::kDecoyPurpose, random, clock.Now()))),
      ceiling(ValueOf(revocation::AgreeOnAccessCeiling(
          *store, house.lifetimes.access, clock.Now()))),
      minter(ValueOf(
          token::AccessTokenMinter::Create({kIssuer, house.lifetimes.access}))),
      verify(clock, *keys, MakeVerifier(), aftermath->revocations,
             ValueOf(revocation::LoadPastEpochs(*store)), cache, house.encode) {
}

House::House(HouseOptions house_options)
    : options(std::move(house_options)),
      kek_(ValueOf(key::KeyEncryptionKey::FromText(std::string(64, '7')))) {
  if (options.furnish) options.furnish(dir, clock);
  Open(std::nullopt);
}

House::~House() = default;

void House::Open(std::optional<absl::Time> closed_at) {
  auto aftermath = std::make_unique<Aftermath>();
  storage::OpenOptions store_options;
  store_options.url = "sqlite:" + dir.File("store.db");
  store_options.readers = options.readers;
  store_options.listener = ListenerOf(*aftermath);
  auto store = ValueOf(storage::OpenStore(store_options));
  LoadLedger(*store, *aftermath);
  const Clock& time =
      options.other_clock == nullptr ? clock : *options.other_clock;
  if (closed_at.has_value())
    aftermath->serving_time.AddPause(*closed_at, time.Now());
  rooms_ =
      std::make_unique<Rooms>(options, time, std::move(aftermath),
                              std::move(store), kek_, dir.File("revoked-keys"));
}

void House::Restart(absl::Duration down) {
  RestartAfter([&] { clock.Advance(down); });
}

void House::RestartAfter(const std::function<void()>& meanwhile) {
  const absl::Time closed_at = rooms_->clock.Now();
  rooms_.reset();
  meanwhile();
  Open(closed_at);
}

std::vector<storage::LedgerRow> House::Ledger() {
  using Rows = std::vector<storage::LedgerRow>;
  return ValueOf(storage::ReadValue<Rows>(
      *rooms_->store,
      [](storage::ReadTx& tx) { return tx.ledger().After(0, kAll); }));
}

std::vector<storage::AuditRow> House::Audit() {
  using Rows = std::vector<storage::AuditRow>;
  return ValueOf(storage::ReadValue<Rows>(
      *rooms_->store,
      [](storage::ReadTx& tx) { return tx.audit().After(0, kAll); }));
}

storage::SessionRow House::Session(const SessionId& session_id) {
  using Found = std::optional<storage::SessionRow>;
  const Found found = ValueOf(
      storage::ReadValue<Found>(*rooms_->store, [&](storage::ReadTx& tx) {
        return tx.sessions().Find(session_id.bytes());
      }));
  if (!found.has_value()) ADD_FAILURE() << "no such session";
  return found.value_or(storage::SessionRow());
}

std::optional<storage::AccountRow> House::Account(const AccountId& account_id) {
  using Found = std::optional<storage::AccountRow>;
  return ValueOf(
      storage::ReadValue<Found>(*rooms_->store, [&](storage::ReadTx& tx) {
        return tx.accounts().Find(account_id.bytes());
      }));
}

storage::LedgerHead House::Head() {
  return ValueOf(storage::ReadValue<storage::LedgerHead>(
      *rooms_->store, [](storage::ReadTx& tx) { return tx.ledger().Head(); }));
}

AccountId House::SignUp(const std::string& username,
                        const std::string& password) {
  return AccountId(
      ValueOf(rooms_->sign_up.Run(Anyone(),
                                  {username, "", SecretBytes(password), ""}))
          .account_id);
}

absl::StatusOr<flow::IssuedTokens> House::TrySignIn(
    const std::string& identifier, const std::string& password,
    const std::string& scope, const std::string& audience) {
  return rooms_->sign_in.WithPassword(
      Anyone(), {identifier, SecretBytes(password), audience, scope, ""});
}

flow::IssuedTokens House::SignIn(const std::string& identifier,
                                 const std::string& password,
                                 const std::string& scope) {
  return ValueOf(TrySignIn(identifier, password, scope));
}

absl::StatusOr<flow::IssuedTokens> House::TryRefresh(const std::string& token,
                                                     const std::string& scope,
                                                     const std::string& id) {
  return rooms_->refresh.Run(Anyone(), {token, scope, id});
}

flow::IssuedTokens House::Refresh(const std::string& token) {
  return ValueOf(TryRefresh(token));
}

absl::StatusOr<std::string> House::ChangePassword(const flow::IssuedTokens& as,
                                                  const std::string& current,
                                                  const std::string& wanted) {
  return rooms_->change_password.Run(As(as), SecretBytes(current),
                                     SecretBytes(wanted));
}

std::string House::Verdict(const std::string& access_token,
                           const std::string& audience) {
  const auto answer =
      rooms_->verify.Judge(access_token, {jwt::Audience::Exactly(audience)});
  if (!answer.rejection.has_value()) return "";
  return std::string(jwt::RejectionName(*answer.rejection));
}

jwt::Claims House::Claims(const std::string& access_token) {
  const auto token = rooms_->verify.Authenticate(access_token);
  if (token == nullptr) {
    ADD_FAILURE() << "not authentic";
    return {};
  }
  return token->claims();
}

flow::Caller House::Anyone() { return AnyoneFrom("192.0.2.7"); }

flow::Caller House::AnyoneFrom(const std::string& address) {
  flow::Caller caller;
  caller.address = address;
  caller.user_agent = "test/1";
  caller.origin = limit::NetworkPrefix::OfText(address);
  return caller;
}

flow::Caller House::Operator() {
  flow::Caller caller;
  caller.kind = flow::Caller::Kind::kOperator;
  return caller;
}

flow::Caller House::As(const flow::IssuedTokens& tokens) {
  const jwt::Claims claims = Claims(tokens.access_token);
  flow::Caller caller = Anyone();
  caller.kind = flow::Caller::Kind::kAccount;
  caller.account_id = AccountId::Parse(claims.subject);
  caller.session_id = SessionId::Parse(claims.session_id);
  return caller;
}

absl::Status House::Write(
    absl::FunctionRef<absl::Status(storage::WriteTx&)> fn) {
  return rooms_->store->Write(fn);
}

}  // namespace ostiary::testing
