#include "server/assembly.h"

#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "server/base/lane.h"
#include "server/base/metrics.h"
#include "server/base/random.h"
#include "server/client_app/clients.h"
#include "server/descriptors.h"
#include "server/door/admission.h"
#include "server/door/documents.h"
#include "server/door/gate.h"
#include "server/door/house_door.h"
#include "server/door/messages.h"
#include "server/door/methods.h"
#include "server/door/revocation_feed.h"
#include "server/door/status_list_shelf.h"
#include "server/flow/back_up.h"
#include "server/flow/change_password.h"
#include "server/flow/gateway_check.h"
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
#include "server/foundation.h"
#include "server/gauges.h"
#include "server/grpc/server.h"
#include "server/housekeeping.h"
#include "server/http/ops_handler.h"
#include "server/http/public_handler.h"
#include "server/http/server.h"
#include "server/key/key_encryption.h"
#include "server/limit/network_prefix.h"
#include "server/limit/rate_limiter.h"
#include "server/limit/sign_in_limiter.h"
#include "server/loading.h"
#include "server/password/hash_workers.h"
#include "server/password/password_policy.h"
#include "server/password/passwords.h"
#include "server/session/serving_time.h"
#include "server/session/sessions.h"
#include "server/settings.h"
#include "server/status_list/slot_issuer.h"
#include "server/token/verified_token_cache.h"
#include "server/upkeep.h"

namespace ostiary {
namespace {

// Whether there ever was a mark beside this store.
constexpr absl::string_view kMarkedFact = "mark.written";

absl::Status CheckNeverMarked(const Foundation& foundation) {
  const auto marked = storage::ReadValue<std::optional<std::string>>(
      *foundation.store,
      [](storage::ReadTx& tx) { return tx.facts().Find(kMarkedFact); });
  if (!marked.ok()) return marked.status();
  return marked->has_value() ? MissingMark(foundation.mark_file.path())
                             : absl::OkStatus();
}

absl::Status RememberMarked(storage::Store& store) {
  return store.Write([](storage::WriteTx& tx) -> absl::Status {
    const auto marked = tx.facts().Find(kMarkedFact);
    if (!marked.ok()) return marked.status();
    return marked->has_value() ? absl::OkStatus()
                               : tx.facts().Put(kMarkedFact, "1");
  });
}

// Calls that wait in a lane before more are answered "busy".
constexpr std::size_t kStoreQueue = 4096;
constexpr std::size_t kSlowQueue = 4;
constexpr int kNicest = 19;
constexpr absl::Duration kPingInterval = absl::Seconds(1);

// The refresh keys, as the session room wants to see them.
class SealedRefreshKeys final : public session::RefreshKeys {
 public:
  explicit SealedRefreshKeys(const key::SymmetricKeys& keys) : keys_(keys) {}
  std::string newest_id() const override { return keys_.newest().key_id; }
  const SecretBytes* Find(absl::string_view key_id) const override {
    const key::SymmetricKey* key = keys_.Find(key_id);
    return key == nullptr ? nullptr : &key->bytes;
  }

 private:
  const key::SymmetricKeys& keys_;
};

// What a crash broke off, or the operator began by writing the file.
absl::Status FinishRotation(key::KeyEncryption& encryption, absl::Time now,
                            Logger& logger) {
  const auto rotation = encryption.Finish(now);
  if (!rotation.ok()) return rotation.status();
  if (rotation->sealed_anew > 0) {
    logger.Info("the keys of the store were sealed anew",
                {{"key_encryption_key", rotation->keys.front().id},
                 {"keys", std::to_string(rotation->sealed_anew)}});
  }
  if (!rotation->left_in_file.ok()) {
    logger.Warning(
        "keys that seal nothing any more may be taken out of the file",
        {{"status", rotation->left_in_file.ToString()}});
  }
  return absl::OkStatus();
}

// Every object below, in the order of dependency. The members are the plan.
class House final : public Assembly {
 public:
  House(const Config& config, Logger& logger,
        std::unique_ptr<Aftermath> aftermath,
        std::unique_ptr<Foundation> foundation,
        std::unique_ptr<key::KeyEncryption> encryption, Loaded loaded)
      : config_(config),
        logger_(logger),
        aftermath_(std::move(aftermath)),
        foundation_(std::move(foundation)),
        encryption_(std::move(encryption)),
        loaded_(std::move(loaded)) {
    door::ServeAuth(
        {sign_up_, sign_in_, refresh_, sign_out_, change_password_, accounts_},
        methods_);
    door::ServeTokens({verify_, revoke_, manage_sessions_, keys(), clock(),
                       config_.default_audience},
                      methods_);
    door::ServeGateways(gate_, methods_);
    door::ServeRevocations(feed_, methods_);
    door::ServeKeys({keys(), *encryption_, clock(), AlgorithmOf(config_)},
                    methods_);
    door::ServeAccounts(accounts_, methods_);
    door::ServeSessions(manage_sessions_, methods_);
    door::ServeAdmin({OSTIARY_VERSION, config_.issuer, config_.default_audience,
                      "sqlite", clock().Now(), aftermath_->revocations, keys()},
                     back_up_, methods_);
    door_.emplace(door::HouseDoor::Parts{
        clock(), random_, logger_, aftermath_->metrics, admission_, methods_,
        store_lane_, password_lane_, slow_lane_,
        door::WellKnownDocuments(config_.issuer, keys()),
        door::StatusListShelves(config_.issuer, status_list_shelf_)});
  }

  ~House() override { Drain(config_.drain_timeout); }

  absl::Status Serve() override;
  Addresses addresses() const override;
  void ReloadCertificates() override;
  void Drain(absl::Duration patience) override;

 private:
  const Clock& clock() const { return foundation_->clock; }
  storage::Store& store() { return *foundation_->store; }
  key::KeyRing& keys() { return *loaded_.keys; }
  absl::Duration ceiling() const { return loaded_.access_ceiling; }

  absl::Status PingStore();
  absl::Status ListenGrpc();
  absl::Status ListenHttp();
  std::vector<Housekeeping::Chore> Chores();

  const Config config_;
  Logger& logger_;
  const ConnectionShares shares_ = ShareDescriptors(RaiseDescriptorLimit());
  const std::unique_ptr<Aftermath> aftermath_;
  const std::unique_ptr<Foundation> foundation_;
  const std::unique_ptr<key::KeyEncryption> encryption_;
  SystemRandom random_;
  Loaded loaded_;

  // Domain.
  SealedRefreshKeys refresh_keys_{loaded_.refresh_keys};
  session::Sessions sessions_{
      random_,
      refresh_keys_,
      aftermath_->serving_time,
      LifetimesOf(config_),
      RotationPolicyOf(config_),
      static_cast<std::size_t>(config_.max_sessions_per_account)};
  status_list::SlotIssuer slots_{random_, aftermath_->status_lists,
                                 aftermath_->sweep,
                                 SlotOptionsOf(config_, ceiling())};
  client_app::Clients clients_{
      {config_.default_audience, config_.audiences, config_.scopes}};
  limit::SignInLimiter sign_in_limiter_{SignInLimitsOf(config_), random_};
  limit::RateLimiter sign_up_limiter_{SignUpLimitOf(config_), kSignUpCounters,
                                      random_};
  password::PasswordPolicy policy_{PasswordPolicyOf(config_)};
  password::HashWorkers hash_workers_{HashWorkersOf(config_), clock()};
  password::Passwords passwords_{
      HashParametersOf(config_), hash_workers_, random_,
      SecretBytes::CopyOf(loaded_.decoy_keys.newest().bytes.Reveal())};
  token::VerifiedTokenCache cache_{
      static_cast<std::size_t>(config_.verify_cache_entries)};

  // Flows.
  flow::TokenIssuer issuer_{clock(), keys(), sessions_, loaded_.minter,
                            aftermath_->revocations};
  flow::NewPasswords new_passwords_{policy_, passwords_};
  flow::Verify verify_{clock(),
                       keys(),
                       loaded_.verifier,
                       aftermath_->revocations,
                       loaded_.past_epochs,
                       cache_,
                       door::EncodeVerdict};
  flow::GatewayCheck gateway_check_{verify_, config_.default_audience};
  flow::SignUp sign_up_{clock(),          random_,
                        store(),          new_passwords_,
                        sign_up_limiter_, SignUpPolicyOf(config_)};
  flow::SignIn sign_in_{{clock(), store(), clients_, sign_in_limiter_,
                         passwords_, sessions_, slots_, issuer_},
                        ceiling(),
                        loaded_.identifier_keys.newest().bytes};
  flow::Refresh refresh_{clock(), store(),   sessions_, slots_,
                         issuer_, ceiling(), logger_};
  flow::SignOut sign_out_{clock(), store(), sessions_, ceiling()};
  flow::ChangePassword change_password_{clock(),          store(),
                                        sign_in_limiter_, passwords_,
                                        new_passwords_,   ceiling()};
  flow::ManageAccounts accounts_{clock(), random_, store(), new_passwords_,
                                 ceiling()};
  flow::ManageSessions manage_sessions_{clock(), store(), ceiling()};
  flow::Revoke revoke_{clock(), store(), verify_, ceiling()};
  flow::BackUp back_up_{clock(), store(), logger_,
                        BackupFolder(foundation_->data_dir.path())};

  // Lanes and the door.
  Lane store_lane_{"store", config_.store_threads, kStoreQueue};
  Lane password_lane_{"password", PasswordThreads(config_),
                      PasswordQueue(config_)};
  // A thread for the work, and one to tell whoever comes meanwhile.
  Lane slow_lane_{"slow", 2, kSlowQueue, kNicest};
  door::Admission admission_{clock(), verify_, AdmissionOptionsOf(config_)};
  door::RevocationFeed feed_{
      {clock(), aftermath_->revocations, aftermath_->feed_log, keys(), logger_},
      FeedOptionsOf(config_)};
  door::Gate gate_{gateway_check_, clock(), logger_};
  door::StatusListShelf status_list_shelf_{
      {clock(), keys(), aftermath_->status_lists, logger_},
      {config_.issuer, config_.status_list_ttl}};
  door::MethodBook methods_;
  std::optional<door::HouseDoor> door_;
  std::vector<std::unique_ptr<Metrics::Callback>> gauges_ =
      RegisterGauges(aftermath_->metrics,
                     {clock(), store(), keys(), aftermath_->revocations, cache_,
                      hash_workers_, store_lane_, password_lane_, feed_});

  // Wires.
  std::optional<http::PublicHandler> public_handler_;
  std::optional<http::OpsHandler> ops_handler_;
  std::unique_ptr<rpc::Server> grpc_;
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<http::Server> ops_;
  std::optional<Upkeep> upkeep_;
  std::optional<Housekeeping> housekeeping_;
  bool drained_ = false;
  // Of the ops listener's thread.
  absl::Time pinged_at_ = absl::InfinitePast();
  absl::Status last_ping_;
};

absl::Status House::Serve() {
  // gRPC first: it sets the umask for a moment, before other threads make
  // files.
  if (auto status = ListenGrpc(); !status.ok()) return status;
  if (auto status = ListenHttp(); !status.ok()) return status;
  upkeep_.emplace(Upkeep::Rooms{clock(), store(), keys(),
                                aftermath_->revocations, foundation_->mark_file,
                                aftermath_->status_lists, aftermath_->sweep,
                                loaded_.certificates.get(), logger_});
  if (auto status = upkeep_->WriteMark(); !status.ok()) return status;
  if (auto status = RememberMarked(store()); !status.ok()) return status;
  if (foundation_->mark.has_value()) {
    // Nobody could reach us since the last mark.
    aftermath_->serving_time.AddPause(foundation_->mark->time, clock().Now());
  }
  housekeeping_.emplace(Chores());
  door_->Open();
  return absl::OkStatus();
}

absl::Status House::ListenGrpc() {
  rpc::ServerOptions options = GrpcOptionsOf(config_);
  options.connections.in_all = shares_.grpc;
  // A gateway or a node may hold many, but not all.
  options.connections.per_address = (3 * shares_.grpc + 3) / 4;
  options.certificates = loaded_.certificates.get();
  options.wait_for_lanes = [this] {
    store_lane_.WaitUntilIdle();
    password_lane_.WaitUntilIdle();
    slow_lane_.WaitUntilIdle();
  };
  auto server = rpc::Server::Start(*door_, std::move(options));
  if (!server.ok()) return server.status();
  grpc_ = *std::move(server);
  return absl::OkStatus();
}

absl::Status House::ListenHttp() {
  public_handler_.emplace(
      *door_, clock(),
      http::PublicHandler::Options{config_.issuer, config_.http_hosts,
                                   config_.cors_origins});
  ops_handler_.emplace(
      *door_,
      http::OpsHandler::Sources{
          [this] { return PingStore(); },
          [this] { return aftermath_->metrics.Render(); },
      },
      http::OpsHandler::Options{config_.issuer, config_.http_hosts});
  const auto start =
      [this](const std::vector<ListenAddress>& listen, int connections,
             const CertificateStore* certificates, http::Handler& handler,
             std::unique_ptr<http::Server>& server) -> absl::Status {
    if (listen.empty()) return absl::OkStatus();
    http::ServerOptions options;
    options.listen = TextsOf(listen);
    options.limits = HttpLimits();
    options.limits.connections = connections;
    options.certificates = certificates;
    auto started = http::Server::Start(options, clock(), handler);
    if (!started.ok()) return started.status();
    server = *std::move(started);
    return absl::OkStatus();
  };
  auto status = start(config_.http_listen, shares_.http,
                      loaded_.certificates.get(), *public_handler_, http_);
  if (!status.ok()) return status;
  // Scraped from inside: plain, even where the public listeners use TLS.
  return start(config_.ops_listen, shares_.ops, nullptr, *ops_handler_, ops_);
}

// A ping is a write with its sync: asking often must not cost more than once.
absl::Status House::PingStore() {
  const absl::Time now = clock().Now();
  if (now - pinged_at_ >= kPingInterval) {
    last_ping_ = store().Ping();
    pinged_at_ = now;
  }
  return last_ping_;
}

Assembly::Addresses House::addresses() const {
  Addresses addresses;
  for (std::size_t i = 0; i < config_.grpc_listen.size(); ++i) {
    ListenAddress address = config_.grpc_listen[i];
    address.port = static_cast<std::uint16_t>(grpc_->ports()[i]);
    addresses.grpc.push_back(address.ToString());
  }
  if (http_ != nullptr) addresses.http = http_->addresses();
  if (ops_ != nullptr) addresses.ops = ops_->addresses();
  addresses.operator_socket = config_.operator_socket;
  return addresses;
}

void House::ReloadCertificates() { upkeep_->ReloadCertificates(); }

std::vector<Housekeeping::Chore> House::Chores() {
  Upkeep& upkeep = *upkeep_;
  std::vector<Housekeeping::Chore> chores = {
      {absl::Seconds(1), [&upkeep] { upkeep.RefreshMark(); }},
      {absl::Seconds(1), [&upkeep] { upkeep.WatchDisk(); }},
      {absl::Seconds(1), [&upkeep] { upkeep.SweepStatusLists(); }},
      {absl::Minutes(1), [&upkeep] { upkeep.ApplyKeySchedule(); }},
      {absl::Seconds(30), [&upkeep] { upkeep.ForgetWhatHasEnded(); }},
      {absl::Minutes(1), [&upkeep] { upkeep.WarnOfFullArena(); }},
  };
  if (loaded_.certificates != nullptr) {
    upkeep.WarnOfExpiry();
    chores.push_back({absl::Hours(12), [&upkeep] { upkeep.WarnOfExpiry(); }});
    chores.push_back({config_.tls_reload_interval,
                      [&upkeep] { upkeep.ReloadCertificates(); }});
  }
  return chores;
}

void House::Drain(absl::Duration patience) {
  if (drained_) return;
  drained_ = true;
  const absl::Time deadline = absl::Now() + patience;
  door_->Close();
  back_up_.Stop();
  housekeeping_.reset();
  // HTTP first: its calls run in the same lanes that gRPC then waits for.
  if (http_ != nullptr) http_->Drain(patience);
  if (grpc_ != nullptr)
    grpc_->Drain(std::max(deadline - absl::Now(), absl::ZeroDuration()));
  store_lane_.WaitUntilIdle();
  password_lane_.WaitUntilIdle();
  slow_lane_.WaitUntilIdle();
  if (ops_ != nullptr) ops_->Drain(absl::ZeroDuration());
  if (upkeep_.has_value()) upkeep_->RefreshMark();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Assembly>> Assembly::Build(const Config& config,
                                                          Logger& logger) {
  auto aftermath = std::make_unique<Aftermath>();
  auto foundation = Foundation::Lay(config, aftermath->Listener());
  if (!foundation.ok()) return foundation.status();
  if ((*foundation)->mark.has_value()) {
    const storage::LedgerHead& head = (*foundation)->head;
    // The machine's own clock: ours is already held at the mark.
    auto status = CheckAgainstMark(*(*foundation)->mark, head.epoch,
                                   static_cast<std::uint64_t>(head.sequence),
                                   absl::Now());
    if (!status.ok()) return status;
  } else if (auto status = CheckNeverMarked(**foundation); !status.ok()) {
    return status;
  }
  auto encryption = std::make_unique<key::KeyEncryption>(
      *(*foundation)->store, (*foundation)->kek,
      config.key_encryption_key_file);
  if (auto status =
          FinishRotation(*encryption, (*foundation)->clock.Now(), logger);
      !status.ok()) {
    return status;
  }
  SystemRandom random;
  auto loaded = Load(config, **foundation, *aftermath, random);
  if (!loaded.ok()) return NameStore(config, loaded.status());
  return std::make_unique<House>(config, logger, std::move(aftermath),
                                 *std::move(foundation), std::move(encryption),
                                 *std::move(loaded));
}

}  // namespace ostiary
