#ifndef OSTIARY_TESTS_SERVER_KEY_RING_FIXTURE_H_
#define OSTIARY_TESTS_SERVER_KEY_RING_FIXTURE_H_

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/key/key_ring.h"
#include "tests/server/key/memory_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::testing {

// A ring over a store in memory, with its files in a folder of its own.
class RingFixture : public ::testing::Test {
 protected:
  RingFixture() { Restart(); }

  key::KeyRingOptions Options() const {
    key::KeyRingOptions options;
    options.algorithm = algorithm_;
    options.revoked_keys_file = dir_.File("revoked-keys");
    return options;
  }
  absl::StatusOr<std::unique_ptr<key::KeyRing>> TryLoad() {
    return key::KeyRing::Load(store_, kek_, clock_, Options());
  }
  void Restart() { ring_ = ValueOf(TryLoad()); }

  std::shared_ptr<const key::KeyView> View() const { return ring_->Snapshot(); }
  std::string ActiveId() const { return View()->active().key_id(); }
  std::vector<std::string> IdsIn(key::KeyState state) const {
    std::vector<std::string> ids;
    for (const key::KeyInfo& key : View()->keys()) {
      if (key.state == state) ids.push_back(key.key_id);
    }
    return ids;
  }
  std::string PreparedId() const {
    return IdsIn(key::KeyState::kPrepared).at(0);
  }
  bool Verifies(const std::string& key_id) const {
    return View()->verifying_keys().Find(key_id) != nullptr;
  }
  // Lets time pass and the schedule work.
  int Pass(absl::Duration time) {
    clock_.Advance(time);
    return ValueOf(ring_->ApplySchedule());
  }
  absl::Status Activate(const std::string& key_id,
                        key::Lead lead = key::Lead::kRequired) {
    return ring_->Activate(key_id, lead, audit_);
  }
  absl::StatusOr<key::KeyRevocation> Revoke(const std::string& key_id) {
    return ring_->Revoke(key_id, "stolen", audit_);
  }
  std::vector<std::string> AuditedActions() const {
    std::vector<std::string> actions;
    for (const auto& row : store_.content().audit) {
      actions.push_back(row.action);
    }
    return actions;
  }

  TempDir dir_;
  MemoryStore store_;
  key::KeyEncryptionKey kek_ =
      ValueOf(key::KeyEncryptionKey::FromText(std::string(64, '7')));
  jwt::Algorithm algorithm_ = jwt::Algorithm::kEs256;
  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  storage::AuditRow audit_ = [] {
    storage::AuditRow row;
    row.actor = "operator";
    return row;
  }();
  std::unique_ptr<key::KeyRing> ring_;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_SERVER_KEY_RING_FIXTURE_H_
