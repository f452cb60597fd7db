#include "client/revocation/revision.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace ostiary::revocation {
namespace {

constexpr absl::string_view kPrefix = "rev_";
constexpr std::size_t kEpochDigits = 8;
constexpr std::size_t kSequenceDigits = 16;

}  // namespace

std::string FormatRevision(const Revision& revision) {
  return absl::StrFormat("%s%08x%016x", kPrefix, revision.epoch,
                         static_cast<std::uint64_t>(revision.sequence));
}

std::optional<Revision> ParseRevision(absl::string_view text) {
  if (text.size() != kPrefix.size() + kEpochDigits + kSequenceDigits ||
      !absl::StartsWith(text, kPrefix)) {
    return std::nullopt;
  }
  text.remove_prefix(kPrefix.size());
  Revision revision;
  std::uint64_t sequence = 0;
  if (!absl::SimpleHexAtoi(text.substr(0, kEpochDigits), &revision.epoch) ||
      !absl::SimpleHexAtoi(text.substr(kEpochDigits), &sequence)) {
    return std::nullopt;
  }
  revision.sequence = static_cast<std::int64_t>(sequence);
  if (revision.sequence < 0 ||
      FormatRevision(revision).substr(kPrefix.size()) != text) {
    return std::nullopt;
  }
  return revision;
}

}  // namespace ostiary::revocation
