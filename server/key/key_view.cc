#include "server/key/key_view.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/jwt/base64url.h"
#include "server/key/key_rows.h"

namespace ostiary::key {
namespace {

using storage::KeyRow;

constexpr std::size_t kSha256Size = 32;

std::string EtagOf(const std::string& text) {
  std::array<unsigned char, kSha256Size> digest;
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(),
                 nullptr) != 1) {
    std::abort();  // only without memory
  }
  return absl::StrCat(
      "\"",
      jwt::Base64UrlEncode(absl::string_view(
          reinterpret_cast<const char*>(digest.data()), digest.size())),
      "\"");
}

absl::StatusOr<KeyInfo> InfoOf(const KeyRow& row,
                               const KeyView::RevokedIds& revoked,
                               const Schedule& schedule) {
  const std::optional<jwt::Algorithm> algorithm =
      jwt::ParseAlgorithm(row.algorithm);
  const std::optional<KeyState> state = ParseKeyState(row.state);
  if (!algorithm.has_value() || !state.has_value()) {
    return absl::DataLossError(absl::StrCat(
        "key ", row.key_id, ": unknown algorithm or state in the store"));
  }
  return KeyInfo{row.key_id,
                 *algorithm,
                 revoked.contains(row.key_id) ? KeyState::kRevoked : *state,
                 row.create_time,
                 MaySignFrom(row, schedule),
                 row.activate_time,
                 row.retire_time,
                 row.revoke_time};
}

// The first keys of an installation are made at the same moment; the one that
// signs comes before the one that waits.
bool ComesBefore(const KeyInfo& one, const KeyInfo& other) {
  if (one.create_time != other.create_time)
    return one.create_time < other.create_time;
  const auto waits = [](const KeyInfo& key) {
    return key.activate_time == absl::InfinitePast();
  };
  return !waits(one) && waits(other);
}

const KeyRow* FindActive(const std::vector<KeyRow>& rows,
                         const KeyView::RevokedIds& revoked) {
  for (const KeyRow& row : rows) {
    if (row.state == kStateActive && !revoked.contains(row.key_id)) return &row;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KeyView>> KeyView::Build(
    const std::vector<KeyRow>& rows, const RevokedIds& revoked,
    const KeyEncryptionKey& kek, const Schedule& schedule) {
  const KeyRow* const active_row = FindActive(rows, revoked);
  if (active_row == nullptr) {
    return absl::FailedPreconditionError("no signing key is active");
  }
  absl::StatusOr<SigningKey> active = OpenSigningKey(kek, *active_row);
  if (!active.ok()) return active.status();

  std::vector<jwt::PublicJwk> published = {active->public_jwk()};
  std::shared_ptr<KeyView> view(new KeyView(*std::move(active)));
  for (const KeyRow& row : rows) {
    absl::StatusOr<KeyInfo> info = InfoOf(row, revoked, schedule);
    if (!info.ok()) return info.status();
    view->keys_.push_back(*info);
    if (&row == active_row || info->state == KeyState::kRevoked) continue;
    absl::StatusOr<jwt::PublicJwk> jwk = OpenPublicKey(kek, row);
    if (!jwk.ok()) return jwk.status();
    published.push_back(*std::move(jwk));
  }
  std::stable_sort(view->keys_.begin(), view->keys_.end(), ComesBefore);
  absl::StatusOr<jwt::KeySet> set = jwt::KeySet::FromKeys(published);
  if (!set.ok()) return absl::DataLossError(set.status().message());

  view->verifying_keys_ = *std::move(set);
  view->jwks_json_ = jwt::ToJwksJson(published);
  view->etag_ = EtagOf(view->jwks_json_);
  view->cache_control_ = CacheControlOf(schedule);
  for (const jwt::PublicJwk& jwk : published) {
    const auto& seen = view->algorithms_;
    if (std::find(seen.begin(), seen.end(), jwk.algorithm) == seen.end()) {
      view->algorithms_.push_back(jwk.algorithm);
    }
  }
  return std::shared_ptr<const KeyView>(std::move(view));
}

int KeyView::Count(KeyState state) const {
  return static_cast<int>(
      std::count_if(keys_.begin(), keys_.end(),
                    [&](const KeyInfo& key) { return key.state == state; }));
}

absl::Time KeyView::active_since() const {
  const auto found = std::find_if(
      keys_.begin(), keys_.end(),
      [&](const KeyInfo& key) { return key.key_id == active_.key_id(); });
  return found->activate_time;
}

}  // namespace ostiary::key
