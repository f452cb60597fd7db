#include "server/door/documents.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/mutex.h"
#include "server/door/etag.h"
#include "server/status_list/list_uri.h"

namespace ostiary::door {
namespace {

constexpr absl::string_view kJwksPath = "/.well-known/jwks.json";

// The path of an issuer URL, "" if it has none.
std::string PathOf(const std::string& issuer) {
  const std::size_t host = issuer.find("://") + 3;
  const std::size_t path = issuer.find('/', host);
  if (path == std::string::npos) return "";
  return std::string(absl::StripSuffix(issuer.substr(path), "/"));
}

// Remakes a document only when the keys have changed.
class PerKeyView {
 public:
  using Make = std::function<Document(const key::KeyView&)>;
  PerKeyView(const key::KeyRing& keys, Make make)
      : keys_(keys), make_(std::move(make)) {}

  std::shared_ptr<const Document> Get() {
    const auto view = keys_.Snapshot();
    MutexLock lock(&mutex_);
    if (view != view_.lock()) {
      document_ = std::make_shared<const Document>(make_(*view));
      view_ = view;
    }
    return document_;
  }

 private:
  const key::KeyRing& keys_;
  const Make make_;
  Mutex mutex_;
  // Weak: with the view, the private key that it signed with must go.
  std::weak_ptr<const key::KeyView> view_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Document> document_ ABSL_GUARDED_BY(mutex_);
};

HouseDoor::DocumentSource SourceOf(const key::KeyRing& keys,
                                   PerKeyView::Make make) {
  auto source = std::make_shared<PerKeyView>(keys, std::move(make));
  return [source] { return source->Get(); };
}

Document Jwks(const key::KeyView& view) {
  // Not application/jwk-set+json: several consumers take only this one.
  return {"application/json", view.cache_control(), view.etag(),
          view.jwks_json()};
}

boost::json::array Algorithms(const key::KeyView& view) {
  boost::json::array names;
  for (const jwt::Algorithm algorithm : view.algorithms()) {
    const absl::string_view name = jwt::AlgorithmName(algorithm);
    names.emplace_back(boost::json::string_view(name.data(), name.size()));
  }
  return names;
}

Document Metadata(const std::string& issuer, const key::KeyView& view) {
  boost::json::object metadata;
  metadata["issuer"] = issuer;
  metadata["jwks_uri"] =
      absl::StrCat(absl::StripSuffix(issuer, "/"), kJwksPath);
  // Required by both specifications. No endpoint of the authorization code
  // flow is served, so nothing of it is named.
  metadata["response_types_supported"] = boost::json::array();
  metadata["grant_types_supported"] = boost::json::array();
  metadata["subject_types_supported"] = {"public"};
  metadata["id_token_signing_alg_values_supported"] = Algorithms(view);
  std::string body = boost::json::serialize(metadata);
  std::string etag = EtagOf(body);
  return {"application/json", view.cache_control(), std::move(etag),
          std::move(body)};
}

}  // namespace

absl::flat_hash_map<std::string, HouseDoor::DocumentSource> WellKnownDocuments(
    const std::string& issuer, const key::KeyRing& keys) {
  const std::string path = PathOf(issuer);
  const auto jwks = SourceOf(keys, Jwks);
  const auto metadata = SourceOf(keys, [issuer](const key::KeyView& view) {
    return Metadata(issuer, view);
  });
  absl::flat_hash_map<std::string, HouseDoor::DocumentSource> documents;
  documents[std::string(kJwksPath)] = jwks;
  documents[absl::StrCat(path, kJwksPath)] = jwks;
  documents[absl::StrCat(path, "/.well-known/openid-configuration")] = metadata;
  documents[absl::StrCat("/.well-known/openid-configuration", path)] = metadata;
  documents[absl::StrCat("/.well-known/oauth-authorization-server", path)] =
      metadata;
  return documents;
}

std::vector<HouseDoor::Shelf> StatusListShelves(const std::string& issuer,
                                                StatusListShelf& lists) {
  const auto find = [&lists](absl::string_view name) {
    return lists.Find(name);
  };
  const std::string path(status_list::kListsPath);
  const std::string beneath_issuer = absl::StrCat(PathOf(issuer), path);
  if (beneath_issuer == path) return {{path, find}};
  return {{path, find}, {beneath_issuer, find}};
}

}  // namespace ostiary::door
