#include "client/revocation/revision.h"
#include "ostiary/v1/admin_service.pb.h"
#include "server/door/messages.h"
#include "server/door/methods.h"

namespace ostiary::door {

void ServeAdmin(const ServerFacts& facts, MethodBook& book) {
  book.Serve<v1::GetServerInfoRequest, v1::GetServerInfoResponse>(
      "ostiary.v1.AdminService/GetServerInfo",
      [facts](const auto&, auto&, auto& response) {
        response.set_version(facts.version);
        response.set_issuer(facts.issuer);
        response.set_default_audience(facts.default_audience);
        response.set_store(facts.store);
        SetTime(facts.start_time, *response.mutable_start_time());
        response.set_revision(
            revocation::FormatRevision(facts.revocations.applied()));
        response.set_live_revocations(
            static_cast<int>(facts.revocations.size()));
        response.set_active_key_id(facts.keys.Snapshot()->active().key_id());
        return absl::OkStatus();
      });
}

}  // namespace ostiary::door
