#ifndef OSTIARY_CLIENT_CLI_TERMINAL_H_
#define OSTIARY_CLIENT_CLI_TERMINAL_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "client/cli/secret_text.h"

namespace ostiary::cli {

// The person in front of the program, if there is one.
class Terminal {
 public:
  virtual ~Terminal() = default;

  // False: nobody can be asked; the other calls return nullopt.
  virtual bool IsInteractive() const = 0;

  // Shows `prompt` and reads a line that does not appear on the screen.
  // Nullopt if the person gives up (Ctrl-C, Ctrl-D on an empty line).
  virtual std::optional<SecretText> ReadHidden(absl::string_view prompt) = 0;

  // Shows `prompt` and reads a line. Nullopt at the end of input.
  virtual std::optional<std::string> ReadLine(absl::string_view prompt) = 0;
};

// A POSIX terminal. While a hidden line is read the terminal neither echoes
// nor turns Ctrl-C into a signal: being killed in between would leave the
// person's shell without echo.
class PosixTerminal final : public Terminal {
 public:
  // Interactive if `descriptor` is a terminal. Borrows the descriptor.
  explicit PosixTerminal(int descriptor) : descriptor_(descriptor) {}

  bool IsInteractive() const override;
  std::optional<SecretText> ReadHidden(absl::string_view prompt) override;
  std::optional<std::string> ReadLine(absl::string_view prompt) override;

 private:
  void Write(absl::string_view text) const;

  const int descriptor_;
};

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_TERMINAL_H_
