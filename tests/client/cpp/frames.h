#ifndef OSTIARY_TESTS_CLIENT_CPP_FRAMES_H_
#define OSTIARY_TESTS_CLIENT_CPP_FRAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ostiary/test_issuer.h"
#include "ostiary/v1/revocation_service.pb.h"

// Frames of the feed, as a server would send them.
namespace ostiary::client::testing {

google::protobuf::Timestamp StampOf(absl::Time time);

v1::WatchResponse KeySetOf(const TestIssuer& issuer);
v1::WatchResponse Snapshot(std::uint32_t epoch, std::uint64_t sequence,
                           absl::Time as_of,
                           std::vector<v1::RevocationEntry> entries = {});
// Another part follows it.
v1::WatchResponse SnapshotPart(std::uint32_t epoch, std::uint64_t sequence,
                               std::vector<v1::RevocationEntry> entries);
v1::WatchResponse Delta(std::uint32_t epoch, std::uint64_t from,
                        std::uint64_t to, absl::Time as_of,
                        std::vector<v1::RevocationEntry> entries = {});
v1::WatchResponse Heartbeat(std::uint32_t epoch, std::uint64_t sequence,
                            absl::Time as_of);

v1::RevocationEntry SessionEntry(const std::string& session_id);
v1::RevocationEntry TokenEntry(const std::string& token_id);
v1::RevocationEntry AccountEntry(const std::string& account_id,
                                 std::uint64_t min_generation);
v1::RevocationEntry ClientEntry(const std::string& client_id,
                                absl::Time issued_before);
v1::RevocationEntry AllEntry(absl::Time issued_before);
v1::RevocationEntry KeyEntry(const std::string& key_id);

}  // namespace ostiary::client::testing

#endif  // OSTIARY_TESTS_CLIENT_CPP_FRAMES_H_
