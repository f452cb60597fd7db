#ifndef OSTIARY_TESTS_CLIENT_CLI_RUN_CLI_H_
#define OSTIARY_TESTS_CLIENT_CLI_RUN_CLI_H_

#include <deque>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/cli.h"

namespace ostiary::cli {

// A person who gives prepared answers and remembers what was asked.
class FakeTerminal final : public Terminal {
 public:
  bool IsInteractive() const override { return interactive; }
  std::optional<SecretText> ReadHidden(absl::string_view prompt) override {
    std::optional<std::string> answer = Next(prompt);
    if (!answer) return std::nullopt;
    return SecretText(*std::move(answer));
  }
  std::optional<std::string> ReadLine(absl::string_view prompt) override {
    return Next(prompt);
  }

  bool interactive = false;
  std::deque<std::string> answers;
  std::vector<std::string> prompts;

 private:
  std::optional<std::string> Next(absl::string_view prompt) {
    prompts.emplace_back(prompt);
    if (answers.empty()) return std::nullopt;
    std::string answer = answers.front();
    answers.pop_front();
    return answer;
  }
};

struct Ended {
  int code;
  std::string out;
  std::string err;
};

// Runs the program inside the test, with surroundings of the test's making.
class Cli {
 public:
  Ended Run(std::vector<std::string> arguments) {
    std::istringstream input(in);
    std::ostringstream out;
    std::ostringstream err;
    Surroundings surroundings{input,
                              out,
                              err,
                              terminal,
                              [this](const char* name) { return Find(name); },
                              [this] { return now; },
                              hash_verifier};
    const ExitCode code = cli::Run(std::move(arguments), surroundings);
    return {static_cast<int>(code), out.str(), err.str()};
  }

  void AnswerPrompts(std::deque<std::string> answers) {
    terminal.interactive = true;
    terminal.answers = std::move(answers);
  }

  std::string in;
  FakeTerminal terminal;
  std::map<std::string, std::string> environment;
  absl::Time now = absl::FromUnixSeconds(1767225600);
  HashVerifier hash_verifier;

 private:
  std::optional<std::string> Find(const std::string& name) const {
    const auto it = environment.find(name);
    if (it == environment.end()) return std::nullopt;
    return it->second;
  }
};

}  // namespace ostiary::cli

#endif  // OSTIARY_TESTS_CLIENT_CLI_RUN_CLI_H_
