// Judges histories that any harness wrote; the format is in README.md.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "tests/checker/canary.h"
#include "tests/checker/history.h"
#include "tests/checker/invariants.h"
#include "tests/checker/linearizability.h"

namespace ostiary::checker {
namespace {

constexpr int kHeld = 0;
constexpr int kViolated = 1;
constexpr int kNotUnderstood = 2;

struct Request {
  Rules rules;
  bool linearize = false;
  std::string canaries;
  std::vector<std::string> texts;
  std::vector<std::string> histories;
};

std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// False if there is something that is not understood.
bool Parse(int argc, char** argv, Request& request) {
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    bool understood = true;
    if (argument == "--linearize") {
      request.linearize = true;
    } else if (absl::ConsumePrefix(&argument, "--retry-window=")) {
      understood = absl::ParseDuration(std::string(argument),
                                       &request.rules.retry_window);
    } else if (absl::ConsumePrefix(&argument, "--prepare-lead=")) {
      understood = absl::ParseDuration(std::string(argument),
                                       &request.rules.prepare_lead);
    } else if (absl::ConsumePrefix(&argument, "--clock-slack=")) {
      understood = absl::ParseDuration(std::string(argument),
                                       &request.rules.clock_slack);
    } else if (absl::ConsumePrefix(&argument, "--canaries=")) {
      request.canaries = std::string(argument);
    } else if (absl::ConsumePrefix(&argument, "--text=")) {
      request.texts.emplace_back(argument);
    } else if (absl::StartsWith(argument, "--")) {
      understood = false;
    } else {
      request.histories.emplace_back(argument);
    }
    if (!understood) {
      std::cerr << "check_history: not understood: " << argv[i] << "\n";
      return false;
    }
  }
  return !request.histories.empty() || !request.texts.empty();
}

int Tell(const std::string& file, const std::vector<Violation>& violations) {
  for (const Violation& violation : violations) {
    std::cout << file << ": " << violation << "\n";
  }
  return violations.empty() ? kHeld : kViolated;
}

int JudgeFile(const std::string& path, const Request& request) {
  const auto history = ReadHistory(path);
  if (!history.ok()) {
    std::cerr << "check_history: " << history.status().message() << "\n";
    return kNotUnderstood;
  }
  int verdict = Tell(path, Judge(*history, request.rules));
  if (request.linearize) {
    verdict = std::max(verdict,
                       Tell(path, CheckLinearizable(*history, request.rules)));
  }
  std::cout << path << ": " << history->size() << " operations\n";
  return verdict;
}

int SearchFile(const std::filesystem::path& path,
               const std::vector<std::string>& canaries) {
  int verdict = kHeld;
  for (const Leak& leak :
       FindCanaries(path.string(), ReadWhole(path), canaries)) {
    std::cout << leak.where << ": no_secret_appears: canary " << leak.canary + 1
              << " stands at byte " << leak.offset << " (" << leak.spelling
              << ")\n";
    verdict = kViolated;
  }
  return verdict;
}

int SearchText(const std::string& text,
               const std::vector<std::string>& canaries) {
  if (!std::filesystem::is_directory(text)) return SearchFile(text, canaries);
  int verdict = kHeld;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(text)) {
    if (entry.is_regular_file())
      verdict = std::max(verdict, SearchFile(entry.path(), canaries));
  }
  return verdict;
}

int Run(const Request& request) {
  int verdict = kHeld;
  for (const std::string& path : request.histories) {
    verdict = std::max(verdict, JudgeFile(path, request));
  }
  std::vector<std::string> canaries;
  std::ifstream file(request.canaries);
  for (std::string line; std::getline(file, line);) canaries.push_back(line);
  if (!request.texts.empty() && canaries.empty()) {
    std::cerr << "check_history: --text needs --canaries=FILE\n";
    return kNotUnderstood;
  }
  for (const std::string& text : request.texts) {
    verdict = std::max(verdict, SearchText(text, canaries));
  }
  return verdict;
}

}  // namespace
}  // namespace ostiary::checker

int main(int argc, char** argv) {
  ostiary::checker::Request request;
  if (!ostiary::checker::Parse(argc, argv, request)) {
    std::cerr << "usage: check_history [--retry-window=10s] "
                 "[--prepare-lead=48h] [--clock-slack=0s] [--linearize] "
                 "[--canaries=FILE --text=PATH...] FILE...\n";
    return 2;
  }
  return ostiary::checker::Run(request);
}
