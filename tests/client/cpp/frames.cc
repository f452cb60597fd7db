#include "tests/client/cpp/frames.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "absl/strings/str_cat.h"

namespace ostiary::client::testing {
namespace {

std::string CursorOf(std::uint32_t epoch, std::uint64_t sequence) {
  return absl::StrCat("cursor-", epoch, "-", sequence);
}

void Put(std::vector<v1::RevocationEntry> entries,
         google::protobuf::RepeatedPtrField<v1::RevocationEntry>* out) {
  for (v1::RevocationEntry& entry : entries) *out->Add() = std::move(entry);
}

}  // namespace

google::protobuf::Timestamp StampOf(absl::Time time) {
  google::protobuf::Timestamp stamp;
  const std::int64_t nanos = absl::ToUnixNanos(time);
  stamp.set_seconds(nanos / 1'000'000'000);
  stamp.set_nanos(static_cast<std::int32_t>(nanos % 1'000'000'000));
  return stamp;
}

v1::WatchResponse KeySetOf(const TestIssuer& issuer) {
  v1::WatchResponse frame;
  v1::RevocationKeySet* keys = frame.mutable_key_set();
  const auto jwks = boost::json::parse(issuer.JwksJson());
  for (const auto& jwk : jwks.at("keys").as_array()) {
    v1::JsonWebKey* key = keys->add_keys();
    key->set_kty(jwk.at("kty").as_string().c_str());
    key->set_use(jwk.at("use").as_string().c_str());
    key->set_alg(jwk.at("alg").as_string().c_str());
    key->set_kid(jwk.at("kid").as_string().c_str());
    key->set_crv(jwk.at("crv").as_string().c_str());
    key->set_x(jwk.at("x").as_string().c_str());
    key->set_y(jwk.at("y").as_string().c_str());
  }
  return frame;
}

v1::WatchResponse SnapshotPart(std::uint32_t epoch, std::uint64_t sequence,
                               std::vector<v1::RevocationEntry> entries) {
  v1::WatchResponse frame;
  v1::RevocationSnapshot* snapshot = frame.mutable_snapshot();
  snapshot->set_epoch(epoch);
  snapshot->set_sequence(sequence);
  Put(std::move(entries), snapshot->mutable_entries());
  return frame;
}

v1::WatchResponse Snapshot(std::uint32_t epoch, std::uint64_t sequence,
                           absl::Time as_of,
                           std::vector<v1::RevocationEntry> entries) {
  v1::WatchResponse frame = SnapshotPart(epoch, sequence, std::move(entries));
  v1::RevocationSnapshot* snapshot = frame.mutable_snapshot();
  snapshot->set_last(true);
  *snapshot->mutable_as_of() = StampOf(as_of);
  snapshot->set_cursor(CursorOf(epoch, sequence));
  return frame;
}

v1::WatchResponse Delta(std::uint32_t epoch, std::uint64_t from,
                        std::uint64_t to, absl::Time as_of,
                        std::vector<v1::RevocationEntry> entries) {
  v1::WatchResponse frame;
  v1::RevocationDelta* delta = frame.mutable_delta();
  delta->set_epoch(epoch);
  delta->set_from(from);
  delta->set_to(to);
  Put(std::move(entries), delta->mutable_entries());
  *delta->mutable_as_of() = StampOf(as_of);
  delta->set_cursor(CursorOf(epoch, to));
  return frame;
}

v1::WatchResponse Heartbeat(std::uint32_t epoch, std::uint64_t sequence,
                            absl::Time as_of) {
  v1::WatchResponse frame;
  v1::RevocationHeartbeat* heartbeat = frame.mutable_heartbeat();
  heartbeat->set_epoch(epoch);
  heartbeat->set_sequence(sequence);
  *heartbeat->mutable_as_of() = StampOf(as_of);
  heartbeat->set_cursor(CursorOf(epoch, sequence));
  return frame;
}

v1::RevocationEntry SessionEntry(const std::string& session_id) {
  v1::RevocationEntry entry;
  entry.set_session_id(session_id);
  return entry;
}

v1::RevocationEntry TokenEntry(const std::string& token_id) {
  v1::RevocationEntry entry;
  entry.set_token_id(token_id);
  return entry;
}

v1::RevocationEntry AccountEntry(const std::string& account_id,
                                 std::uint64_t min_generation) {
  v1::RevocationEntry entry;
  entry.mutable_account()->set_account_id(account_id);
  entry.mutable_account()->set_min_generation(min_generation);
  return entry;
}

v1::RevocationEntry ClientEntry(const std::string& client_id,
                                absl::Time issued_before) {
  v1::RevocationEntry entry;
  entry.mutable_client()->set_client_id(client_id);
  *entry.mutable_client()->mutable_issued_before() = StampOf(issued_before);
  return entry;
}

v1::RevocationEntry AllEntry(absl::Time issued_before) {
  v1::RevocationEntry entry;
  *entry.mutable_all()->mutable_issued_before() = StampOf(issued_before);
  return entry;
}

v1::RevocationEntry KeyEntry(const std::string& key_id) {
  v1::RevocationEntry entry;
  entry.set_key_id(key_id);
  return entry;
}

}  // namespace ostiary::client::testing
