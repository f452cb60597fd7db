#include "server/config_rules.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/data_dir.h"
#include "server/option_values.h"

namespace ostiary {
namespace {

using Given = std::set<std::string>;
using Problems = std::vector<std::string>;

// .NET's token validation keeps a key set for 12 hours.
constexpr absl::Duration kLongestConsumerCache = absl::Hours(12);

std::vector<std::string> BeyondLoopback(
    const std::vector<ListenAddress>& addresses) {
  std::vector<std::string> beyond;
  for (const ListenAddress& address : addresses) {
    if (!address.IsLoopback()) beyond.push_back(address.ToString());
  }
  return beyond;
}

void CheckPlaintext(const Config& config, Problems& problems) {
  if (config.allow_plaintext) return;
  const auto refuse = [&problems](absl::string_view name,
                                  const std::vector<ListenAddress>& addresses,
                                  absl::string_view remedy) {
    for (const std::string& address : BeyondLoopback(addresses)) {
      problems.push_back(absl::StrCat("--", name, ": ", address,
                                      " is beyond loopback and has no TLS, so "
                                      "others on the network could read it: ",
                                      remedy));
    }
  };
  constexpr absl::string_view kRemedy =
      "give --tls-cert and --tls-key, or listen on 127.0.0.1, or, if something "
      "in front of this server encrypts, give --allow-plaintext";
  if (!config.UsesTls()) {
    refuse("grpc-listen", config.grpc_listen, kRemedy);
    refuse("http-listen", config.http_listen, kRemedy);
  }
  refuse("ops-listen", config.ops_listen,
         "this listener never has TLS: listen on 127.0.0.1, or, if only your "
         "monitoring can reach it, give --allow-plaintext");
}

void CheckWhatLoopbackImplied(const Given& given, const Config& config,
                              Problems& problems) {
  if (!config.ListensBeyondLoopback()) return;
  if (given.count("issuer") == 0) {
    problems.push_back(
        "--issuer: has no default once a listener is beyond loopback, expected "
        "the URL at which others reach the HTTP listener, like "
        "--issuer=https://auth.example.com");
  }
  if (given.count("sign-up") == 0) {
    problems.push_back(
        "--sign-up: has no default once a listener is beyond loopback, "
        "expected open (everybody makes an account) or operator (only you do)");
  }
}

void CheckIssuer(const Given& given, Config& config, Problems& problems) {
  if (given.count("issuer") > 0 && absl::StartsWith(config.issuer, "http://") &&
      !HasLoopbackHost(config.issuer) && !config.allow_plaintext) {
    problems.push_back(absl::StrCat(
        "--issuer: got '", config.issuer,
        "', whose keys everybody would fetch without TLS; expected https, or "
        "--allow-plaintext beside it"));
  }
  const bool elsewhere =
      given.count("issuer") == 0 && given.count("http-listen") > 0 &&
      std::none_of(config.http_listen.begin(), config.http_listen.end(),
                   [&](const ListenAddress& address) {
                     return config.issuer ==
                            absl::StrCat("http://", address.ToString());
                   });
  if (elsewhere) {
    config.warnings.push_back(absl::StrCat(
        "tokens name the issuer ", config.issuer,
        ", where --http-listen does not answer; set --issuer to its address"));
  }
}

void CheckListeners(const Config& config, Problems& problems) {
  if (config.grpc_listen.empty() && config.http_listen.empty()) {
    problems.push_back(
        "--grpc-listen, --http-listen: both are off, expected at least one");
  }
  std::vector<std::pair<std::string, ListenAddress>> all;
  const auto add = [&all](const std::string& name,
                          const std::vector<ListenAddress>& addresses) {
    for (const ListenAddress& address : addresses) {
      all.emplace_back(name, address);
    }
  };
  add("--grpc-listen", config.grpc_listen);
  add("--http-listen", config.http_listen);
  add("--ops-listen", config.ops_listen);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (all[i].second.port == 0 || all[i].second != all[j].second) continue;
      problems.push_back(absl::StrCat(all[i].first, ": ",
                                      all[i].second.ToString(),
                                      " is already taken by ", all[j].first));
    }
  }
}

void CheckReadable(absl::string_view name, const std::string& path,
                   Problems& problems) {
  if (path.empty()) return;
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored) &&
      std::ifstream(path).good()) {
    return;
  }
  problems.push_back(absl::StrCat("--", name, ": got '", path,
                                  "', expected a file that this user can "
                                  "read"));
}

void CheckParent(absl::string_view name, const std::string& path,
                 Problems& problems) {
  const std::filesystem::path parent =
      std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (parent.empty() || std::filesystem::is_directory(parent, ignored)) return;
  problems.push_back(absl::StrCat("--", name, ": got '", path,
                                  "', whose directory does not exist"));
}

void CheckTls(const Given& given, const Config& config, Problems& problems) {
  if (config.tls_cert.empty() != config.tls_key.empty()) {
    problems.push_back(
        config.tls_key.empty()
            ? "--tls-cert: stands alone, expected --tls-key beside it"
            : "--tls-key: stands alone, expected --tls-cert beside it");
  }
  if (!config.tls_client_ca.empty() && config.tls_cert.empty()) {
    problems.push_back(
        "--tls-client-ca: client certificates need TLS, expected --tls-cert "
        "and --tls-key beside it");
  }
  if (given.count("tls-client-auth") > 0 && config.tls_client_ca.empty()) {
    problems.push_back(
        "--tls-client-auth: does nothing without an authority to check "
        "against, expected --tls-client-ca beside it");
  }
  CheckReadable("tls-cert", config.tls_cert, problems);
  CheckReadable("tls-key", config.tls_key, problems);
  CheckReadable("tls-client-ca", config.tls_client_ca, problems);
}

void CheckAudiences(const Config& config, Problems& problems) {
  const auto& list = config.audiences;
  if (list.empty()) return;  // refused already
  if (std::find(list.begin(), list.end(), config.default_audience) ==
      list.end()) {
    problems.push_back(absl::StrCat(
        "--audiences: does not hold '", config.default_audience,
        "', which --default-audience gives to every sign-in that names none; "
        "expected it in the list"));
  }
}

void CheckLifetimes(const Config& config, Problems& problems) {
  if (config.refresh_idle_lifetime > config.refresh_absolute_lifetime) {
    problems.push_back(absl::StrCat(
        "--refresh-idle-lifetime: got '",
        DurationToText(config.refresh_idle_lifetime),
        "', expected at most --refresh-absolute-lifetime, which is ",
        DurationToText(config.refresh_absolute_lifetime)));
  }
  if (config.access_token_lifetime > config.refresh_idle_lifetime) {
    problems.push_back(
        absl::StrCat("--access-token-lifetime: got '",
                     DurationToText(config.access_token_lifetime),
                     "', expected at most --refresh-idle-lifetime, which is ",
                     DurationToText(config.refresh_idle_lifetime),
                     ": a session would end before its first refresh"));
  }
}

void CheckKeySchedule(const Config& config, Problems& problems) {
  const absl::Duration least = kLongestConsumerCache + config.jwks_max_age;
  if (config.key_prepare_lead < least) {
    problems.push_back(absl::StrCat(
        "--key-prepare-lead: got '", DurationToText(config.key_prepare_lead),
        "', expected at least ", DurationToText(least),
        ": 12h, for which .NET keeps a key set, and --jwks-max-age"));
  }
  if (config.key_prepare_lead >= config.key_rotation_period) {
    problems.push_back(absl::StrCat(
        "--key-prepare-lead: got '", DurationToText(config.key_prepare_lead),
        "', expected less than --key-rotation-period, which is ",
        DurationToText(config.key_rotation_period)));
  }
}

void CheckPaths(const Given& given, const Config& config, Problems& problems) {
  if (!absl::StartsWith(config.store, "sqlite:") ||
      config.store.size() == std::string("sqlite:").size()) {
    problems.push_back(
        "--store: got a value that is not shown, as it may hold a password; "
        "expected sqlite:PATH");
  } else if (given.count("store") > 0) {
    CheckParent("store", config.store.substr(std::string("sqlite:").size()),
                problems);
  }
  CheckParent("data-dir", config.data_dir, problems);
  if (given.count("key-encryption-key-file") > 0) {
    CheckParent("key-encryption-key-file", config.key_encryption_key_file,
                problems);
  }
  if (given.count("operator-socket") > 0) {
    CheckParent("operator-socket", config.operator_socket, problems);
  }
  if (const absl::Status path = CheckSocketPath(config.operator_socket);
      !path.ok()) {
    problems.push_back(absl::StrCat("--operator-socket: ", path.message()));
  }
}

std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

void DeriveDefaults(const Given& given, int cores, Config& config) {
  const auto missing = [&given](const char* name) {
    return given.count(name) == 0;
  };
  config.data_dir = WithoutTrailingSlashes(config.data_dir);
  if (missing("store")) {
    config.store = absl::StrCat("sqlite:", DefaultStorePath(config.data_dir));
  }
  if (missing("operator-socket")) {
    config.operator_socket = DefaultSocketPath(config.data_dir);
  }
  if (missing("key-encryption-key-file")) {
    config.key_encryption_key_file =
        DefaultKeyEncryptionKeyPath(config.data_dir);
  }
  if (missing("service-access")) {
    config.service_access = BeyondLoopback(config.grpc_listen).empty()
                                ? ServiceAccess::kOpen
                                : ServiceAccess::kAuthenticated;
  }
  if (missing("audiences")) {
    config.audiences = {config.default_audience};
    if (config.issuer != config.default_audience) {
      config.audiences.push_back(config.issuer);
    }
  }
  const int usable = std::max(cores, 1);
  if (config.hash_threads == 0) config.hash_threads = std::min(usable, 256);
  // Two polling threads in one process steal each other's events.
  if (config.grpc_queues == 0) {
    config.grpc_queues = std::clamp(usable / 4, 1, 64);
  }
}

void CheckRules(const Given& given, Config& config, Problems& problems) {
  CheckPaths(given, config, problems);
  CheckListeners(config, problems);
  CheckTls(given, config, problems);
  CheckPlaintext(config, problems);
  CheckWhatLoopbackImplied(given, config, problems);
  CheckIssuer(given, config, problems);
  CheckAudiences(config, problems);
  CheckLifetimes(config, problems);
  CheckKeySchedule(config, problems);
}

bool Config::ListensBeyondLoopback() const {
  return !BeyondLoopback(grpc_listen).empty() ||
         !BeyondLoopback(http_listen).empty() ||
         !BeyondLoopback(ops_listen).empty();
}

}  // namespace ostiary
