// key list, prepare, activate, retire, rotate, revoke, encryption,
// rotate-encryption-key.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/failure.h"
#include "client/cli/printable.h"
#include "client/cli/prompt.h"
#include "client/cli/registry.h"
#include "ostiary/v1/key_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

using Keys = v1::KeyService;

constexpr char kKeyHelp[] = "Key id (kid)";

absl::StatusOr<v1::ListSigningKeysResponse> AllKeys(Invocation& run) {
  return run.Call<Keys>(&Keys::Stub::ListSigningKeys,
                        v1::ListSigningKeysRequest());
}

template <typename Response>
absl::StatusOr<ExitCode> ShowKey(Invocation& run,
                                 const absl::StatusOr<Response>& response) {
  if (!response.ok()) return response.status();
  return run.Answer(response->signing_key());
}

absl::StatusOr<ExitCode> List(Invocation& run) {
  const auto response = AllKeys(run);
  if (!response.ok()) return response.status();
  Rows rows({"key_id", "algorithm", "state", "create_time", "activate_time",
             "retire_time"},
            run.format(), run.out());
  for (const v1::SigningKey& key : response->signing_keys()) {
    if (auto added = rows.Add(key); !added.ok()) return added;
  }
  rows.Flush();
  return ExitCode::kOk;
}

absl::StatusOr<v1::PrepareSigningKeyResponse> Prepare(
    Invocation& run, const std::string& algorithm) {
  v1::PrepareSigningKeyRequest request;
  request.set_algorithm(algorithm);
  return run.Call<Keys>(&Keys::Stub::PrepareSigningKey, request);
}

enum class Lead { kWait, kNow };

absl::StatusOr<ExitCode> Activate(Invocation& run, const std::string& key_id,
                                  Lead lead) {
  v1::ActivateSigningKeyRequest request;
  request.set_key_id(key_id);
  request.set_force(lead == Lead::kNow);
  return ShowKey(run, run.Call<Keys>(&Keys::Stub::ActivateSigningKey, request));
}

// The oldest: consumers have had the most time to fetch it.
std::optional<std::string> PreparedKey(
    const v1::ListSigningKeysResponse& response) {
  for (const v1::SigningKey& key : response.signing_keys()) {
    if (key.state() == v1::SIGNING_KEY_STATE_PREPARED) return key.key_id();
  }
  return std::nullopt;
}

absl::StatusOr<ExitCode> Rotate(Invocation& run, Lead lead) {
  const auto keys = AllKeys(run);
  if (!keys.ok()) return keys.status();
  std::optional<std::string> prepared = PreparedKey(*keys);
  if (!prepared && lead == Lead::kWait) {
    return NoError(
        "no key is prepared to take over; `ostiary key prepare` makes one, "
        "--now makes one and signs with it at once");
  }
  if (!prepared) {
    const auto made = Prepare(run, "");
    if (!made.ok()) return made.status();
    prepared = made->signing_key().key_id();
  }
  return Activate(run, *prepared, lead);
}

struct KeyFlags {
  std::string key;
  std::string algorithm;
  std::string reason;
  bool now = false;
  bool yes = false;
};

Lead LeadOf(const KeyFlags& flags) {
  return flags.now ? Lead::kNow : Lead::kWait;
}

absl::StatusOr<ExitCode> Revoke(Invocation& run, const KeyFlags& flags) {
  absl::Status confirmed =
      Confirm(flags.yes ? Consent::kGiven : Consent::kAsk,
              absl::StrCat("Revoke the key \"", flags.key,
                           "\" for ever, with every token it has signed?"),
              run.surroundings());
  if (!confirmed.ok()) return confirmed;
  v1::RevokeSigningKeyRequest request;
  request.set_key_id(flags.key);
  request.set_reason(flags.reason);
  const auto response = run.Call<Keys>(&Keys::Stub::RevokeSigningKey, request);
  if (!response.ok()) return response.status();
  return run.Answer(*response);
}

template <typename Response>
absl::Status ShowEncryptionKeys(Invocation& run, const Response& response) {
  Rows rows({"key_encryption_key_id", "state", "sealed_count"}, run.format(),
            run.out());
  for (const v1::KeyEncryptionKey& key : response.key_encryption_keys()) {
    if (auto added = rows.Add(key); !added.ok()) return added;
  }
  rows.Flush();
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> ListEncryptionKeys(Invocation& run) {
  const auto response = run.Call<Keys>(&Keys::Stub::ListKeyEncryptionKeys,
                                       v1::ListKeyEncryptionKeysRequest());
  if (!response.ok()) return response.status();
  if (auto shown = ShowEncryptionKeys(run, *response); !shown.ok())
    return shown;
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RotateEncryptionKey(Invocation& run, Consent consent) {
  absl::Status confirmed = Confirm(
      consent,
      "Backups made until now can only be opened with the key-encryption key "
      "of now, which leaves its file. Is there a copy of that file, or are "
      "they not needed any more?",
      run.surroundings());
  if (!confirmed.ok()) return confirmed;
  const auto response = run.Call<Keys>(&Keys::Stub::RotateKeyEncryptionKey,
                                       v1::RotateKeyEncryptionKeyRequest());
  if (!response.ok()) return response.status();
  if (run.format() == Format::kJson) return run.Answer(*response);
  if (auto shown = ShowEncryptionKeys(run, *response); !shown.ok())
    return shown;
  run.out() << response->resealed_count() << " keys sealed anew\n";
  if (!response->left_in_file().empty()) {
    run.out() << "What seals 0 may be taken out of the file by hand: "
              << Printable(response->left_in_file()) << "\n";
  }
  return ExitCode::kOk;
}

void AddNow(CLI::App& command, KeyFlags& flags) {
  command.add_flag("--now", flags.now,
                   "Although services may not have fetched the key yet");
}

void AddUses(Registry& registry, CLI::App& group) {
  auto flags = std::make_shared<KeyFlags>();
  CLI::App& activate = registry.Add(
      group, "activate",
      "Signs with a prepared key from now on; the active one is retired.",
      "ostiary key activate KEY_ID", [flags](Invocation& run) {
        return Activate(run, flags->key, LeadOf(*flags));
      });
  activate.add_option("key", flags->key, kKeyHelp)->required();
  AddNow(activate, *flags);
  CLI::App& rotate = registry.Add(
      group, "rotate", "Activates the key that is prepared.",
      "ostiary key rotate",
      [flags](Invocation& run) { return Rotate(run, LeadOf(*flags)); });
  AddNow(rotate, *flags);
}

void AddPrepare(Registry& registry, CLI::App& group) {
  auto flags = std::make_shared<KeyFlags>();
  CLI::App& prepare = registry.Add(
      group, "prepare", "Makes a key and publishes it without signing with it.",
      "ostiary key prepare --algorithm ES256", [flags](Invocation& run) {
        return ShowKey(run, Prepare(run, flags->algorithm));
      });
  prepare.add_option("--algorithm", flags->algorithm,
                     "ES256, RS256 or EdDSA (the server's setting)");
}

void AddEnds(Registry& registry, CLI::App& group) {
  auto flags = std::make_shared<KeyFlags>();
  CLI::App& retire = registry.Add(
      group, "retire", "Withdraws a prepared key: it verifies only.",
      "ostiary key retire KEY_ID", [flags](Invocation& run) {
        v1::RetireSigningKeyRequest request;
        request.set_key_id(flags->key);
        return ShowKey(run,
                       run.Call<Keys>(&Keys::Stub::RetireSigningKey, request));
      });
  retire.add_option("key", flags->key, kKeyHelp)->required();
  CLI::App& revoke = registry.Add(
      group, "revoke",
      "Ends a key for ever, with every token it has signed. Asks first.",
      "ostiary key revoke KEY_ID --reason leaked",
      [flags](Invocation& run) { return Revoke(run, *flags); });
  revoke.add_option("key", flags->key, kKeyHelp)->required();
  revoke.add_option("--reason", flags->reason, "For the audit log");
  revoke.add_flag("--yes", flags->yes, "Do not ask");
}

void AddEncryption(Registry& registry, CLI::App& group) {
  registry.Add(group, "encryption",
               "Lists the keys that seal the others in the store. As JSON: one "
               "line for each.",
               "ostiary key encryption", ListEncryptionKeys);
  auto flags = std::make_shared<KeyFlags>();
  CLI::App& rotate = registry.Add(
      group, "rotate-encryption-key",
      "Seals every key of the store under a new key-encryption key, or goes on "
      "where that was broken off. Asks first.",
      "ostiary key rotate-encryption-key", [flags](Invocation& run) {
        return RotateEncryptionKey(
            run, flags->yes ? Consent::kGiven : Consent::kAsk);
      });
  rotate.add_flag("--yes", flags->yes, "Do not ask");
}

}  // namespace

void AddKeyCommands(Registry& registry) {
  CLI::App& group = registry.Group("key", "The keys that sign access tokens.");
  registry.Add(group, "list",
               "Lists all keys, oldest first. As JSON: one line for each.",
               "ostiary key list", List);
  AddPrepare(registry, group);
  AddUses(registry, group);
  AddEnds(registry, group);
  AddEncryption(registry, group);
}

}  // namespace ostiary::cli
