#include "server/revocation/access_ceiling.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ostiary::revocation {
namespace {

constexpr absl::string_view kFact = "access_ceiling";

// On disk: "ceiling_seconds configured_seconds since_unix_seconds".
struct Ceiling {
  absl::Duration ceiling;
  absl::Duration configured;  // the lifetime in force since `since`
  absl::Time since;
};

std::optional<Ceiling> Parse(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ' ');
  std::int64_t ceiling = 0;
  std::int64_t configured = 0;
  std::int64_t since = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &ceiling) ||
      !absl::SimpleAtoi(parts[1], &configured) ||
      !absl::SimpleAtoi(parts[2], &since)) {
    return std::nullopt;
  }
  return Ceiling{absl::Seconds(ceiling), absl::Seconds(configured),
                 absl::FromUnixSeconds(since)};
}

std::string Format(const Ceiling& ceiling) {
  return absl::StrCat(absl::ToInt64Seconds(ceiling.ceiling), " ",
                      absl::ToInt64Seconds(ceiling.configured), " ",
                      absl::ToUnixSeconds(ceiling.since));
}

Ceiling Agree(const std::optional<Ceiling>& stored, absl::Duration configured,
              absl::Time now) {
  if (!stored.has_value() || configured >= stored->ceiling) {
    return {configured, configured, now};
  }
  if (configured != stored->configured)
    return {stored->ceiling, configured, now};
  const bool old_tokens_expired = now - stored->since >= kLongestAccessLifetime;
  if (old_tokens_expired) return {configured, configured, stored->since};
  return *stored;
}

using MaybeText = std::optional<std::string>;

// The ceiling, if what is stored says it already. Then nothing is written: a
// start does not wait for the disk.
absl::StatusOr<std::optional<absl::Duration>> FindAgreed(
    storage::Store& store, absl::Duration configured_lifetime, absl::Time now) {
  const absl::StatusOr<MaybeText> text = storage::ReadValue<MaybeText>(
      store, [](storage::ReadTx& tx) { return tx.facts().Find(kFact); });
  if (!text.ok()) return text.status();
  if (!text->has_value()) return std::optional<absl::Duration>();
  const std::optional<Ceiling> stored = Parse(**text);
  // Agreed on once more, the same lifetime would only be younger.
  if (!stored.has_value() || stored->configured != configured_lifetime)
    return std::optional<absl::Duration>();
  const Ceiling agreed = Agree(stored, configured_lifetime, now);
  if (agreed.ceiling != stored->ceiling) return std::optional<absl::Duration>();
  return std::optional<absl::Duration>(agreed.ceiling);
}

}  // namespace

absl::StatusOr<absl::Duration> AgreeOnAccessCeiling(
    storage::Store& store, absl::Duration configured_lifetime, absl::Time now) {
  const auto stored_already = FindAgreed(store, configured_lifetime, now);
  if (!stored_already.ok()) return stored_already.status();
  if (stored_already->has_value()) return **stored_already;
  return storage::WriteValue<absl::Duration>(
      store, [&](storage::WriteTx& tx) -> absl::StatusOr<absl::Duration> {
        absl::StatusOr<std::optional<std::string>> text =
            tx.facts().Find(kFact);
        if (!text.ok()) return text.status();
        std::optional<Ceiling> stored;
        if (text->has_value()) stored = Parse(**text);
        const Ceiling agreed = Agree(stored, configured_lifetime, now);
        if (auto put = tx.facts().Put(kFact, Format(agreed)); !put.ok())
          return put;
        return agreed.ceiling;
      });
}

}  // namespace ostiary::revocation
