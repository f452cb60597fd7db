#include "server/option_rows.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "server/option_values.h"

namespace ostiary {
namespace {

using absl::Hours;
using absl::Milliseconds;
using absl::Minutes;
using absl::Seconds;

absl::Duration Days(int count) { return count * absl::Hours(24); }

struct Words {
  std::string name;
  std::string default_text;
  std::string expects;
  std::string help;
};

template <typename T>
OptionRow One(Words words, T Config::*member, Codec<T> codec) {
  OptionRow row;
  row.name = std::move(words.name);
  row.default_text = std::move(words.default_text);
  row.expects = std::move(words.expects);
  row.help = std::move(words.help);
  row.set = [=](const std::vector<std::string>& values, Config& config) {
    std::optional<T> value = codec.parse(values.front());
    if (!value.has_value()) return false;
    config.*member = *std::move(value);
    return true;
  };
  row.show = [=](const Config& config) { return codec.format(config.*member); };
  return row;
}

OptionRow Switch(Words words, bool Config::*member) {
  OptionRow row = One(std::move(words), member, OnOff());
  row.arity = Arity::kSwitch;
  return row;
}

// `word_for_none` alone is the empty list.
template <typename T>
OptionRow List(Words words, std::vector<T> Config::*member, Codec<T> codec,
               std::string word_for_none) {
  OptionRow row;
  row.arity = Arity::kList;
  row.name = std::move(words.name);
  row.default_text = std::move(words.default_text);
  row.expects = std::move(words.expects);
  row.help = std::move(words.help);
  row.set = [=](const std::vector<std::string>& values, Config& config) {
    std::vector<T> list;
    if (values != std::vector<std::string>{word_for_none}) {
      for (const std::string& text : values) {
        std::optional<T> value = codec.parse(text);
        if (!value.has_value()) return false;
        list.push_back(*std::move(value));
      }
    }
    config.*member = std::move(list);
    return true;
  };
  row.show = [=](const Config& config) {
    if ((config.*member).empty()) return word_for_none;
    return absl::StrJoin(config.*member, ",",
                         [&](std::string* out, const T& value) {
                           absl::StrAppend(out, codec.format(value));
                         });
  };
  return row;
}

// Worked out from other options when it is not given.
OptionRow Derived(OptionRow row, std::string note) {
  row.default_text.clear();
  row.default_note = std::move(note);
  return row;
}

void Append(std::vector<OptionRow>& rows, absl::string_view subject,
            std::vector<OptionRow> more) {
  for (OptionRow& row : more) {
    row.subject = std::string(subject);
    rows.push_back(std::move(row));
  }
}

std::vector<OptionRow> DataRows() {
  OptionRow config =
      Derived(One({"config", "", "the path of a file",
                   "file with `name = value` lines, named as the options here"},
                  &Config::config_file, Text()),
              "none");
  config.in_file = false;
  OptionRow store = Derived(
      One({"store", "", "sqlite:PATH", "where accounts and sessions are kept"},
          &Config::store, Text()),
      "sqlite:<data-dir>/ostiary.db");
  store.hidden = true;  // a database's URL may hold its password
  return {
      config,
      One({"data-dir", "./ostiary-data", "the path of a directory",
           "database, keys and operator socket; made with mode 0700"},
          &Config::data_dir, Text()),
      store,
      Derived(One({"operator-socket", "",
                   "a path of at most 107 bytes in a directory only we enter",
                   "who can open it is the operator"},
                  &Config::operator_socket, Text()),
              "<data-dir>/ostiary.sock"),
      Derived(One({"key-encryption-key-file", "", "the path of a file",
                   "seals the signing keys; made with mode 0600; keep a copy "
                   "apart from the backups"},
                  &Config::key_encryption_key_file, Text()),
              "<data-dir>/kek"),
  };
}

std::vector<OptionRow> ListenerRows() {
  const std::string addresses =
      "an address and a port like 127.0.0.1:8080 or [::1]:8080, several "
      "separated by commas, or off";
  return {
      List({"grpc-listen", "127.0.0.1:50051", addresses,
            "gRPC, for sibling services"},
           &Config::grpc_listen, Address(), "off"),
      List({"http-listen", "127.0.0.1:8080", addresses,
            "OAuth 2.0, JWKS and Connect over HTTP, the public face"},
           &Config::http_listen, Address(), "off"),
      List({"ops-listen", "127.0.0.1:9464", addresses,
            "/metrics, /healthz and /readyz, always without TLS"},
           &Config::ops_listen, Address(), "off"),
      Derived(One({"tls-cert", "", "the path of a PEM file",
                   "certificate chain for gRPC and HTTP"},
                  &Config::tls_cert, Text()),
              "no TLS"),
      Derived(One({"tls-key", "", "the path of a PEM file",
                   "private key of the certificate"},
                  &Config::tls_key, Text()),
              "no TLS"),
      Derived(One({"tls-client-ca", "", "the path of a PEM file",
                   "who signs the certificates of gRPC clients"},
                  &Config::tls_client_ca, Text()),
              "none asked for"),
      One({"tls-client-auth", "request", "request or require",
           "whether gRPC clients may or must show a certificate"},
          &Config::tls_client_auth,
          OneOf<ClientAuth>({{"request", ClientAuth::kRequest},
                             {"require", ClientAuth::kRequire}})),
      One({"tls-reload-interval", "1m", "a duration from 1s to 1d",
           "how often the certificate files are looked at again"},
          &Config::tls_reload_interval, DurationBetween(Seconds(1), Days(1))),
      Switch({"allow-plaintext", "off", "on or off",
              "allows listeners beyond loopback without TLS"},
             &Config::allow_plaintext),
      Derived(List({"http-hosts", "", "host names without ports, or none",
                    "further Host headers answered on loopback"},
                   &Config::http_hosts, HostName(), "none"),
              "none"),
      Derived(List({"cors-origins", "",
                    "origins like https://app.example.com, or none",
                    "whose browser pages may call"},
                   &Config::cors_origins, Origin(), "none"),
              "none"),
      Derived(List({"trusted-proxies", "",
                    "networks like 10.0.0.0/8 or 2001:db8::/32, or none",
                    "whose word about the caller's address is taken"},
                   &Config::trusted_proxies, Cidr(), "none"),
              "none"),
      Switch({"reflection", "on", "on or off", "gRPC server reflection"},
             &Config::reflection),
  };
}

std::string AdviceOnIssuer(absl::string_view value) {
  if (!absl::EndsWith(value, "/")) return "";
  while (absl::ConsumeSuffix(&value, "/")) {
  }
  return absl::StrCat(
      "tokens are compared with the issuer byte for byte, so a slash that one "
      "side adds refuses them all: write ",
      value);
}

std::vector<OptionRow> WhoMayRows() {
  OptionRow issuer =
      One({"issuer", "http://127.0.0.1:8080",
           "an http or https URL without query, fragment and slash at the end",
           "what tokens say they come from, and where the keys are found; no "
           "default once a listener is beyond loopback"},
          &Config::issuer, IssuerUrl());
  issuer.advise = AdviceOnIssuer;
  return {
      issuer,
      One({"sign-up", "open", "open or operator",
           "who makes accounts; no default once a listener is beyond loopback"},
          &Config::sign_up,
          OneOf<SignUp>(
              {{"open", SignUp::kOpen}, {"operator", SignUp::kOperator}})),
      Derived(One({"service-access", "", "open or authenticated",
                   "whether services must prove who they are, with a client "
                   "certificate or a service token, to watch revocations and "
                   "to ask for a gateway"},
                  &Config::service_access,
                  OneOf<ServiceAccess>(
                      {{"open", ServiceAccess::kOpen},
                       {"authenticated", ServiceAccess::kAuthenticated}})),
              "open while gRPC stays on loopback, else authenticated"),
      One({"default-audience", "api",
           "a word without spaces that does not begin with cli_",
           "audience of tokens and checks that name none"},
          &Config::default_audience, TokenWord("cli_")),
      Derived(List({"audiences", "",
                    "words without spaces that do not begin with cli_",
                    "audiences that sign-in grants"},
                   &Config::audiences, TokenWord("cli_"), ""),
              "the default audience and the issuer"),
      Derived(List({"scopes", "", "words without spaces, or none",
                    "scopes that sign-in grants"},
                   &Config::scopes, TokenWord(), "none"),
              "none"),
  };
}

std::vector<OptionRow> TokenRows() {
  return {
      One({"access-token-lifetime", "15m", "a duration from 1s to 24h",
           "longer means fewer refreshes and larger revocation sets"},
          &Config::access_token_lifetime,
          DurationBetween(Seconds(1), Hours(24))),
      One({"refresh-idle-lifetime", "14d", "a duration from 1m to 400d",
           "a session unused for so long ends"},
          &Config::refresh_idle_lifetime,
          DurationBetween(Minutes(1), Days(400))),
      One({"refresh-absolute-lifetime", "90d", "a duration from 1m to 3650d",
           "every session ends after so long"},
          &Config::refresh_absolute_lifetime,
          DurationBetween(Minutes(1), Days(3650))),
      One({"retry-window", "10s", "a duration from 0s to 60s",
           "how long a refresh may be repeated by who lost the answer"},
          &Config::retry_window, DurationBetween(Seconds(0), Seconds(60))),
      Switch({"status-lists", "off", "on or off",
              "whether tokens name a Token Status List, for verifiers that "
              "only speak HTTP"},
             &Config::status_lists),
      One({"status-list-ttl", "30s", "a duration from 5s to 1h",
           "how long a verifier may use its copy of a status list"},
          &Config::status_list_ttl, DurationBetween(Seconds(5), Hours(1))),
      One({"max-sessions-per-account", "100", "a number from 1 to 10000",
           "one more ends the oldest"},
          &Config::max_sessions_per_account, IntBetween(1, 10000)),
  };
}

std::vector<OptionRow> KeyRows() {
  return {
      One({"signing-algorithm", "ES256", "ES256, RS256 or EdDSA",
           "for the next signing key that is made"},
          &Config::signing_algorithm,
          OneOf<SigningAlgorithm>({{"ES256", SigningAlgorithm::kEs256},
                                   {"RS256", SigningAlgorithm::kRs256},
                                   {"EdDSA", SigningAlgorithm::kEdDsa}})),
      One({"key-rotation-period", "90d", "a duration from 1d to 3650d",
           "how long a key signs"},
          &Config::key_rotation_period, DurationBetween(Days(1), Days(3650))),
      One({"key-prepare-lead", "2d", "a duration from 12h to 90d",
           "how long a key is published before it signs"},
          &Config::key_prepare_lead, DurationBetween(Hours(12), Days(90))),
      One({"jwks-max-age", "5m", "a duration from 1m to 24h",
           "how long the key set may be cached"},
          &Config::jwks_max_age, DurationBetween(Minutes(1), Hours(24))),
  };
}

std::vector<OptionRow> PasswordRows() {
  return {
      One({"password-min-length", "8", "a number of bytes from 8 to 128",
           "shorter passwords are refused"},
          &Config::password_min_length, IntBetween(8, 128)),
      One({"password-min-strength", "2", "a zxcvbn score from 0 to 4",
           "passwords easier to guess are refused"},
          &Config::password_min_strength, IntBetween(0, 4)),
      One({"hash-memory-kib", "19456", "a number of KiB from 8192 to 1048576",
           "argon2id memory of each hash"},
          &Config::hash_memory_kib, IntBetween(8192, 1048576)),
      One({"hash-iterations", "2", "a number from 1 to 64",
           "argon2id passes over that memory"},
          &Config::hash_iterations, IntBetween(1, 64)),
      One({"hash-threads", "auto", "a number from 1 to 256, or auto",
           "hashes at one time; auto is one per core"},
          &Config::hash_threads, IntBetweenOrAuto(1, 256)),
      One({"hash-queue", "256", "a number from 1 to 100000",
           "sign-ins that may wait for a hash thread"},
          &Config::hash_queue, IntBetween(1, 100000)),
  };
}

std::vector<OptionRow> LimitRows() {
  const std::string rate =
      "a count and a duration from 1s to 24h like 10/15m, or off";
  return {
      One({"sign-in-limit-identifier-prefix", "10/15m", rate,
           "failed sign-ins for one identifier from one network"},
          &Config::sign_in_limit_identifier_prefix, RateOrOff()),
      One({"sign-in-limit-identifier", "100/1h", rate,
           "failed sign-ins for one identifier from everywhere"},
          &Config::sign_in_limit_identifier, RateOrOff()),
      One({"sign-in-limit-prefix", "100/15m", rate,
           "failed sign-ins from one network"},
          &Config::sign_in_limit_prefix, RateOrOff()),
      One({"sign-up-limit", "20/1h", rate, "new accounts from one network"},
          &Config::sign_up_limit, RateOrOff()),
  };
}

std::vector<OptionRow> RunningRows() {
  return {
      One({"log-format", "auto", "auto, text or json",
           "auto is text on a terminal, else JSON"},
          &Config::log_format,
          OneOf<LogStyle>({{"auto", LogStyle::kAuto},
                           {"text", LogStyle::kText},
                           {"json", LogStyle::kJson}})),
      One({"log-level", "info", "debug, info, warning or error",
           "less grave lines are left out"},
          &Config::log_level,
          OneOf<LogLevel>({{"debug", LogLevel::kDebug},
                           {"info", LogLevel::kInfo},
                           {"warning", LogLevel::kWarning},
                           {"error", LogLevel::kError}})),
      One({"drain-timeout", "20s", "a duration from 0s to 10m",
           "what is under way may finish for so long after SIGTERM"},
          &Config::drain_timeout, DurationBetween(Seconds(0), Minutes(10))),
      One({"max-in-flight", "1024", "a number from 1 to 1000000",
           "calls under way; more are told to come back"},
          &Config::max_in_flight, IntBetween(1, 1000000)),
      One({"grpc-queues", "auto", "a number from 1 to 64, or auto",
           "completion queues; auto is one per four cores"},
          &Config::grpc_queues, IntBetweenOrAuto(1, 64)),
      One({"store-threads", "32", "a number from 1 to 1024",
           "calls that wait for the store side by side"},
          &Config::store_threads, IntBetween(1, 1024)),
      One({"verify-cache-entries", "65536", "a number from 0 to 10000000",
           "checked signatures remembered; about 1 KiB each; 0 is off"},
          &Config::verify_cache_entries, IntBetween(0, 10000000)),
      One({"max-watchers", "5000", "a number from 1 to 100000",
           "services that watch revocations at a time"},
          &Config::max_watchers, IntBetween(1, 100000)),
      Switch({"core-dumps", "off", "on or off",
              "for finding a fault: keys and passwords are in memory; off "
              "also keeps debuggers of this user out"},
             &Config::core_dumps),
  };
}

std::vector<OptionRow> MakeRows() {
  std::vector<OptionRow> rows;
  Append(rows, "Data", DataRows());
  Append(rows, "Listeners", ListenerRows());
  Append(rows, "Who may", WhoMayRows());
  Append(rows, "Tokens and sessions", TokenRows());
  Append(rows, "Signing keys", KeyRows());
  Append(rows, "Passwords", PasswordRows());
  Append(rows, "Limits", LimitRows());
  Append(rows, "Running", RunningRows());
  return rows;
}

}  // namespace

std::string OptionRow::Flag() const { return absl::StrCat("--", name); }

std::string OptionRow::Environment() const {
  return absl::StrCat(
      "OSTIARY_",
      absl::StrReplaceAll(absl::AsciiStrToUpper(name), {{"-", "_"}}));
}

std::string OptionRow::DefaultShown() const {
  return default_note.empty() ? default_text : default_note;
}

const std::vector<OptionRow>& OptionRows() {
  static const auto& rows = *new std::vector<OptionRow>(MakeRows());
  return rows;
}

const OptionRow* FindOptionRow(absl::string_view name) {
  for (const OptionRow& row : OptionRows()) {
    if (absl::string_view(row.name) == name) return &row;
  }
  return nullptr;
}

const OptionRow* FindOptionRowByEnvironment(absl::string_view variable) {
  for (const OptionRow& row : OptionRows()) {
    if (absl::string_view(row.Environment()) == variable) return &row;
  }
  return nullptr;
}

}  // namespace ostiary
