#include "server/door/status_list_shelf.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/ids.h"
#include "server/door/etag.h"
#include "server/status_list/list_uri.h"
#include "server/token/status_list_token.h"

namespace ostiary::door {
namespace {

// However fast revocations follow one another.
constexpr absl::Duration kSignedAtMostEvery = absl::Seconds(1);
// exp, in times to live: a copy is handed out for half of one, lies in caches
// for one and with its verifier for one more.
constexpr int kLifeInTtls = 4;

}  // namespace

std::shared_ptr<const Document> StatusListShelf::Find(absl::string_view name) {
  const auto id = StatusListId::Parse(name);
  if (!id.has_value()) return nullptr;
  const absl::Time now = rooms_.clock.Now();
  const auto state = rooms_.book.Find(id->bytes(), now);
  if (!state.has_value()) return nullptr;
  const auto view = rooms_.keys.Snapshot();
  std::shared_ptr<const Signed> before;
  {
    MutexLock lock(&mutex_);
    const auto found = made_.find(id->bytes());
    if (found != made_.end()) before = found->second;
  }
  if (before != nullptr && IsFresh(*before, state->version, view.get(), now))
    return before->document;

  auto made = Sign(id->bytes(), before.get(), now);
  if (!made.ok()) {
    rooms_.logger.Error("a status list could not be signed",
                        {{"status", made.status().ToString()}});
    return nullptr;
  }
  auto kept = std::make_shared<const Signed>(*std::move(made));
  MutexLock lock(&mutex_);
  DropGone(now);
  made_[id->bytes()] = kept;
  return kept->document;
}

bool StatusListShelf::IsFresh(const Signed& made, std::uint64_t version,
                              const key::KeyView* keys, absl::Time now) const {
  if (made.keys.lock().get() != keys) return false;
  const absl::Duration age = now - made.at;
  if (made.version != version) return age < kSignedAtMostEvery;
  return age < options_.ttl / 2;
}

absl::StatusOr<StatusListShelf::Signed> StatusListShelf::Sign(
    const storage::Key16& list_id, const Signed* before, absl::Time now) const {
  auto copy = rooms_.book.CopyOf(list_id);
  if (!copy.has_value()) return absl::NotFoundError("the list is gone");
  Signed made;
  made.version = copy->version;
  const auto keys = rooms_.keys.Snapshot();
  made.keys = keys;
  made.at = now;
  const bool same_bits = before != nullptr && before->version == copy->version;
  made.lst = same_bits ? before->lst : status_list::EncodeLst(copy->bytes);

  token::StatusListTokenRequest request;
  request.uri = status_list::UriOf(options_.issuer, list_id);
  request.issue_time = now;
  request.expire_time = now + options_.ttl * kLifeInTtls;
  request.ttl = options_.ttl;
  request.lst = made.lst;
  auto text = token::MintStatusListToken(request, keys->active());
  if (!text.ok()) return text.status();
  std::string etag = EtagOf(*text);
  made.document = std::make_shared<const Document>(Document{
      "application/statuslist+jwt",
      absl::StrCat("public, max-age=", absl::ToInt64Seconds(options_.ttl)),
      std::move(etag), *std::move(text)});
  return made;
}

void StatusListShelf::DropGone(absl::Time now) {
  absl::erase_if(made_, [&](const auto& entry) {
    return !rooms_.book.Find(entry.first, now).has_value();
  });
}

}  // namespace ostiary::door
