#include "server/revocation/past_epochs.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ostiary::revocation {
namespace {

// On disk: "epoch:sequence" pairs, separated by spaces.
constexpr absl::string_view kFact = "past_epochs";

absl::StatusOr<PastEpochs> Read(const storage::FactReader& facts) {
  absl::StatusOr<std::optional<std::string>> text = facts.Find(kFact);
  if (!text.ok()) return text.status();
  PastEpochs epochs;
  for (absl::string_view pair :
       absl::StrSplit(text->value_or(""), ' ', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(pair, ':');
    std::uint32_t epoch = 0;
    std::int64_t sequence = 0;
    if (!absl::SimpleAtoi(parts.first, &epoch) ||
        !absl::SimpleAtoi(parts.second, &sequence)) {
      return absl::DataLossError("the store's list of past epochs is damaged");
    }
    epochs[epoch] = sequence;
  }
  return epochs;
}

}  // namespace

absl::Status RecordPastEpoch(storage::WriteTx& tx,
                             const storage::LedgerHead& survived) {
  absl::StatusOr<PastEpochs> epochs = Read(tx.facts());
  if (!epochs.ok()) return epochs.status();
  (*epochs)[survived.epoch] = survived.sequence;
  std::string text;
  for (const auto& [epoch, sequence] : *epochs) {
    absl::StrAppend(&text, text.empty() ? "" : " ", epoch, ":", sequence);
  }
  return tx.facts().Put(kFact, text);
}

absl::StatusOr<PastEpochs> LoadPastEpochs(storage::Store& store) {
  return storage::ReadValue<PastEpochs>(
      store, [](storage::ReadTx& tx) { return Read(tx.facts()); });
}

}  // namespace ostiary::revocation
