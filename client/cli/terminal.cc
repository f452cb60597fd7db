#include "client/cli/terminal.h"

#include <errno.h>
#include <termios.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

namespace ostiary::cli {
namespace {

// Longer than any password a server takes; more is cut off, never stored.
constexpr std::size_t kMaxLine = 8192;

constexpr char kCtrlC = 0x03;
constexpr char kCtrlD = 0x04;
constexpr char kBackspace = 0x08;
constexpr char kCtrlU = 0x15;
constexpr char kDelete = 0x7F;

// No echo, no line editing by the system, no signals, as long as it lives.
class QuietMode {
 public:
  explicit QuietMode(int descriptor) : descriptor_(descriptor) {
    if (tcgetattr(descriptor_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    active_ = tcsetattr(descriptor_, TCSAFLUSH, &quiet) == 0;
  }
  ~QuietMode() {
    if (active_) tcsetattr(descriptor_, TCSAFLUSH, &before_);
  }
  QuietMode(const QuietMode&) = delete;
  QuietMode& operator=(const QuietMode&) = delete;

  bool active() const { return active_; }

 private:
  const int descriptor_;
  termios before_ = {};
  bool active_ = false;
};

std::optional<char> ReadByte(int descriptor) {
  char byte = 0;
  for (;;) {
    const ssize_t count = read(descriptor, &byte, 1);
    if (count == 1) return byte;
    if (count < 0 && errno == EINTR) continue;
    return std::nullopt;
  }
}

// Takes the last character away, all bytes of it.
void Backspace(std::string& line) {
  while (!line.empty()) {
    const auto last = static_cast<unsigned char>(line.back());
    line.back() = '\0';
    line.pop_back();
    if ((last & 0xC0) != 0x80) return;
  }
}

enum class Step { kMore, kDone, kGivenUp };

Step Take(char byte, std::string& line) {
  switch (byte) {
    case '\n':
    case '\r':
      return Step::kDone;
    case kCtrlC:
      return Step::kGivenUp;
    case kCtrlD:
      return line.empty() ? Step::kGivenUp : Step::kDone;
    case kBackspace:
    case kDelete:
      Backspace(line);
      return Step::kMore;
    case kCtrlU:
      Wipe(line);
      return Step::kMore;
    default:
      if (line.size() < kMaxLine) line += byte;
      return Step::kMore;
  }
}

std::optional<SecretText> ReadSecretLine(int descriptor) {
  std::string line;
  // No reallocation may leave a copy of the beginning behind.
  line.reserve(kMaxLine);
  Step step = Step::kMore;
  while (step == Step::kMore) {
    const std::optional<char> byte = ReadByte(descriptor);
    step = byte ? Take(*byte, line) : Step::kGivenUp;
  }
  if (step == Step::kDone) return SecretText(std::move(line));
  Wipe(line);
  return std::nullopt;
}

}  // namespace

bool PosixTerminal::IsInteractive() const { return isatty(descriptor_) == 1; }

std::optional<SecretText> PosixTerminal::ReadHidden(absl::string_view prompt) {
  const QuietMode quiet(descriptor_);
  if (!quiet.active()) return std::nullopt;
  Write(prompt);
  std::optional<SecretText> line = ReadSecretLine(descriptor_);
  Write("\n");
  return line;
}

std::optional<std::string> PosixTerminal::ReadLine(absl::string_view prompt) {
  if (!IsInteractive()) return std::nullopt;
  Write(prompt);
  std::string line;
  for (;;) {
    const std::optional<char> byte = ReadByte(descriptor_);
    if (!byte) return std::nullopt;
    if (*byte == '\n') return line;
    if (line.size() < kMaxLine) line += *byte;
  }
}

void PosixTerminal::Write(absl::string_view text) const {
  while (!text.empty()) {
    const ssize_t count = write(descriptor_, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace ostiary::cli
