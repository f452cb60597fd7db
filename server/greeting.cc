#include "server/greeting.h"

#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace ostiary {
namespace {

std::string ListOrOff(const std::vector<std::string>& addresses) {
  return addresses.empty() ? "off" : absl::StrJoin(addresses, ", ");
}

// `ostiary` as it can be typed here: beside this program if it lies there.
std::string CommandPath() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return "ostiary";
  const auto beside = self.parent_path() / "ostiary";
  return std::filesystem::exists(beside, error) ? beside.string() : "ostiary";
}

// The commands of the first five minutes, for the listeners there are.
std::vector<std::string> Commands(const Config& config,
                                  const Assembly::Addresses& addresses) {
  std::vector<std::string> commands;
  if (!addresses.http.empty()) {
    const std::string url = absl::StrCat(
        config.UsesTls() ? "https://" : "http://", addresses.http.front());
    commands.push_back(
        absl::StrCat("curl --json '{\"username\":\"ada\",\"password\":\"a "
                     "rather long passphrase\"}' ",
                     url, "/ostiary.v1.AuthService/SignUp"));
    commands.push_back(
        absl::StrCat("curl --json '{\"identifier\":\"ada\",\"password\":\"a "
                     "rather long passphrase\"}' ",
                     url, "/ostiary.v1.AuthService/SignInWithPassword"));
    commands.push_back(absl::StrCat("curl ", url, "/.well-known/jwks.json"));
  }
  commands.push_back(absl::StrCat(CommandPath(), " --socket ",
                                  addresses.operator_socket, " account list"));
  return commands;
}

}  // namespace

std::string Greeting(const Config& config,
                     const Assembly::Addresses& addresses) {
  std::string text = absl::StrCat(
      "ostiaryd ", OSTIARY_VERSION, "\n  issuer           ", config.issuer,
      "\n  gRPC             ", ListOrOff(addresses.grpc),
      "\n  HTTP             ", ListOrOff(addresses.http),
      "\n  health, metrics  ", ListOrOff(addresses.ops),
      "\n  operator socket  ", addresses.operator_socket,
      "\n  data             ", config.data_dir, "\n\nTry:\n");
  for (const std::string& command : Commands(config, addresses)) {
    absl::StrAppend(&text, "  ", command, "\n");
  }
  return text;
}

std::string CalibrationText(const password::Calibration& calibration,
                            absl::Duration target) {
  std::string text =
      absl::StrFormat("%10s  %10s  %10s\n", "memory", "iterations", "one hash");
  for (const password::CalibrationRow& row : calibration.rows) {
    absl::StrAppendFormat(&text, "%6u KiB  %10u  %7.1f ms\n",
                          row.parameters.memory_kib, row.parameters.iterations,
                          absl::ToDoubleMilliseconds(row.took));
  }
  absl::StrAppendFormat(
      &text,
      "\nThe costliest within %s%s:\n  --hash-memory-kib=%u "
      "--hash-iterations=%u\n",
      absl::FormatDuration(target),
      calibration.within_target ? ""
                                : " (none is; this is the least that is safe)",
      calibration.suggested.memory_kib, calibration.suggested.iterations);
  return text;
}

}  // namespace ostiary
