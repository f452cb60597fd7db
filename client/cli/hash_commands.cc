// hash verify.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "client/cli/failure.h"
#include "client/cli/file.h"
#include "client/cli/json_value.h"
#include "client/cli/jsonl.h"
#include "client/cli/prompt.h"
#include "client/cli/registry.h"

namespace ostiary::cli {
namespace {

struct HashFlags {
  bool jsonl = false;
  std::string hash_file;
  bool password_stdin = false;
};

// Standard base64 with its padding, and only its one canonical spelling.
std::optional<std::string> DecodeBase64(const std::string& text) {
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes)) return std::nullopt;
  if (absl::Base64Escape(bytes) != text) return std::nullopt;
  return bytes;
}

// The password a line holds: exactly one of the two members.
std::optional<SecretText> PasswordOf(const boost::json::object& line) {
  const bool plain = line.contains("password");
  if (plain == line.contains("password_b64")) return std::nullopt;
  std::optional<std::string> text =
      StringMember(line, plain ? "password" : "password_b64");
  if (text && !plain) text = DecodeBase64(*text);
  if (!text) return std::nullopt;
  return SecretText(*std::move(text));
}

absl::StatusOr<LineVerdict> JudgeHash(const HashVerifier& verify,
                                      const boost::json::object& line) {
  const std::optional<std::string> hash = StringMember(line, "hash");
  const std::optional<SecretText> password = PasswordOf(line);
  if (!hash || !password) return LineVerdict{false, kLineMalformed};
  HashVerdict verdict = verify(*hash, password->Reveal());
  if (verdict.match) return LineVerdict{true, ""};
  return LineVerdict{false, std::move(verdict.reason)};
}

absl::StatusOr<ExitCode> VerifyLines(Invocation& run) {
  const HashVerifier& verify = run.surroundings().hash_verifier;
  absl::Status done = JudgeLines(run.surroundings().in, run.out(), "match",
                                 [&verify](const boost::json::object& line) {
                                   return JudgeHash(verify, line);
                                 });
  if (!done.ok()) return done;
  return ExitCode::kOk;
}

absl::StatusOr<std::string> ReadHash(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile("--hash-file", path);
  if (!text.ok()) return text;
  if (!text->empty() && text->back() == '\n') text->pop_back();
  return text;
}

absl::StatusOr<ExitCode> VerifyOne(Invocation& run, const HashFlags& flags) {
  const absl::StatusOr<std::string> hash = ReadHash(flags.hash_file);
  if (!hash.ok()) return hash.status();
  const absl::StatusOr<SecretText> password = ReadPassword(
      flags.password_stdin ? SecretSource::kStdin : SecretSource::kTerminal,
      run.surroundings());
  if (!password.ok()) return password.status();
  const HashVerdict verdict =
      run.surroundings().hash_verifier(*hash, password->Reveal());
  WriteVerdict({verdict.match, verdict.reason}, "match", run.out());
  return verdict.match ? ExitCode::kOk : ExitCode::kNo;
}

absl::StatusOr<ExitCode> Verify(Invocation& run, const HashFlags& flags) {
  if (!run.surroundings().hash_verifier) {
    return absl::UnimplementedError(
        "this program was built without the code that checks password hashes");
  }
  if (flags.jsonl == !flags.hash_file.empty()) {
    return UsageError("say either --jsonl or --hash-file FILE");
  }
  return flags.jsonl ? VerifyLines(run) : VerifyOne(run, flags);
}

}  // namespace

void AddHashCommands(Registry& registry) {
  CLI::App& group = registry.Group(
      "hash", "Password hashes, as other systems store them. Offline.");
  auto flags = std::make_shared<HashFlags>();
  CLI::App& command = registry.Add(
      group, "verify",
      "Checks passwords against stored hashes. With --jsonl each line of stdin "
      "is {\"hash\": \"...\", \"password\": \"...\"} or with "
      "\"password_b64\", and each line of stdout {\"match\": true} or "
      "{\"match\": false, \"reason\": \"...\"}.",
      "ostiary hash verify --jsonl < hashes.jsonl",
      [flags](Invocation& run) { return Verify(run, *flags); });
  command.add_flag("--jsonl", flags->jsonl, "Lines in, lines out");
  command.add_option("--hash-file", flags->hash_file,
                     "One hash; the password is asked for");
  command.add_flag("--password-stdin", flags->password_stdin,
                   "With --hash-file: read the password from stdin");
}

}  // namespace ostiary::cli
