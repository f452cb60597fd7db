#ifndef OSTIARY_SERVER_CONFIG_H_
#define OSTIARY_SERVER_CONFIG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/log.h"

namespace ostiary {

// What the program was asked to do.
enum class Mode {
  kServe,
  kCheckConfig,    // say what is effective, or what is wrong
  kCalibrateHash,  // measure this machine, suggest hash parameters
  kRestore,  // `ostiaryd restore`: take over a store that went back in time
  kPrintOptions,  // the README's table
  kVersion,
  kHelp,
};

enum class SignUp { kOpen, kOperator };
enum class ServiceAccess { kOpen, kAuthenticated };
enum class ClientAuth { kRequest, kRequire };
enum class SigningAlgorithm { kEs256, kRs256, kEdDsa };
enum class LogStyle { kAuto, kText, kJson };  // auto: text on a terminal
enum class TableFormat { kText, kMarkdown };
// What a restore does with the sessions in the restored store.
enum class RestoredSessions { kEnd, kKeep };
enum class RestoreOutput { kText, kJson };

// Where a listener binds. Numeric addresses only: a name could come to mean
// another interface.
struct ListenAddress {
  std::string host;  // "127.0.0.1", "::1"; "localhost" is taken as 127.0.0.1
  std::uint16_t port = 0;  // 0: the system picks one

  bool IsLoopback() const;
  std::string ToString() const;  // "127.0.0.1:8080", "[::1]:8080"
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// At most `count` within any `per`.
struct Rate {
  int count = 0;
  absl::Duration per;
  friend bool operator==(const Rate&, const Rate&) = default;
};

// Everything an operator decides, checked, with defaults filled in. Each field
// is the option of the same name; option_rows.cc declares them, with default,
// range and meaning.
struct Config {
  Mode mode = Mode::kServe;
  TableFormat table_format = TableFormat::kText;      // kPrintOptions
  std::optional<RestoredSessions> restored_sessions;  // kRestore: always set
  std::string restore_from;    // kRestore: a backup; empty: what is in place
  std::string restore_report;  // kRestore: a file for the report; empty: none
  RestoreOutput restore_output = RestoreOutput::kText;  // kRestore
  // Said once at the start; nothing here stops the program.
  std::vector<std::string> warnings;

  std::string config_file;  // empty: none

  std::string data_dir;
  std::string store;  // "sqlite:PATH"
  std::string operator_socket;
  std::string key_encryption_key_file;

  std::vector<ListenAddress> grpc_listen;  // empty: off
  std::vector<ListenAddress> http_listen;
  std::vector<ListenAddress> ops_listen;

  std::string tls_cert;  // empty: no TLS
  std::string tls_key;
  std::string tls_client_ca;  // empty: client certificates are not asked for
  ClientAuth tls_client_auth;
  absl::Duration tls_reload_interval;
  bool allow_plaintext;

  std::string issuer;
  SignUp sign_up;
  ServiceAccess service_access;
  std::string default_audience;
  std::vector<std::string> audiences;  // holds default_audience
  std::vector<std::string> scopes;

  absl::Duration access_token_lifetime;
  absl::Duration refresh_idle_lifetime;
  absl::Duration refresh_absolute_lifetime;
  absl::Duration retry_window;
  bool status_lists;
  absl::Duration status_list_ttl;
  int max_sessions_per_account;

  SigningAlgorithm signing_algorithm;
  absl::Duration key_rotation_period;
  absl::Duration key_prepare_lead;
  absl::Duration jwks_max_age;

  int password_min_length;    // bytes
  int password_min_strength;  // zxcvbn's score
  int hash_memory_kib;
  int hash_iterations;
  int hash_threads;
  int hash_queue;

  std::optional<Rate> sign_in_limit_identifier_prefix;  // empty: off
  std::optional<Rate> sign_in_limit_identifier;
  std::optional<Rate> sign_in_limit_prefix;
  std::optional<Rate> sign_up_limit;         // per prefix
  std::vector<std::string> trusted_proxies;  // CIDRs, checked

  std::vector<std::string> http_hosts;
  std::vector<std::string> cors_origins;
  bool reflection;

  LogStyle log_format;
  LogLevel log_level;

  absl::Duration drain_timeout;
  int max_in_flight;
  int grpc_queues;
  int store_threads;
  int verify_cache_entries;
  int max_watchers;
  bool core_dumps;  // what is in memory may be written to a disk

  bool UsesTls() const { return !tls_cert.empty(); }
  // True if gRPC, HTTP or the ops port can be reached from another machine.
  bool ListensBeyondLoopback() const;
  // What a logger is to be built with; `is_terminal` is about standard error.
  LogFormat LogFormatFor(bool is_terminal) const;
};

// Where values come from, in falling precedence: arguments, environment, the
// file that --config or OSTIARY_CONFIG names, defaults. A list replaces the
// list of lower precedence; an environment variable that is empty counts as
// not set.
struct ConfigSources {
  std::vector<std::string> arguments;  // without the program's name
  std::map<std::string, std::string> environment;
  int cores = 1;

  // This process's own.
  static ConfigSources OfProcess(int argc, char** argv);
};

// The effective configuration. kInvalidArgument otherwise: one line per
// problem, all that were found, each naming the option, the value (never one
// that may hold a secret), where it came from and what was expected.
//
// For kHelp, kVersion and kPrintOptions only the mode is filled in.
absl::StatusOr<Config> LoadConfig(const ConfigSources& sources);

// What --help, --version, --print-options and --check-config print.
std::string HelpText();
std::string VersionText();
std::string OptionTable(TableFormat format);
std::string EffectiveValues(const Config& config);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_CONFIG_H_
