#include "client/revocation/revision.h"
#include "ostiary/v1/admin_service.pb.h"
#include "server/door/messages.h"
#include "server/door/methods.h"

namespace ostiary::door {
namespace {

void ToMessage(const flow::BackUp::Made& made, v1::Backup& out) {
  const storage::Backup& backup = made.backup;
  out.set_path(backup.path);
  out.set_size_bytes(backup.size_bytes);
  out.set_sha256(backup.sha256);
  SetTime(made.snapshot_time, *out.mutable_snapshot_time());
  out.set_epoch(backup.head.epoch);
  out.set_sequence(static_cast<std::uint64_t>(backup.head.sequence));
  out.set_revision(
      revocation::FormatRevision({backup.head.epoch, backup.head.sequence}));
  out.set_schema_version(backup.schema_version);
}

}  // namespace

void ServeAdmin(const ServerFacts& facts, flow::BackUp& back_up,
                MethodBook& book) {
  book.Serve<v1::GetServerInfoRequest, v1::GetServerInfoResponse>(
      "ostiary.v1.AdminService/GetServerInfo",
      [facts, &back_up](const auto&, auto&, auto& response) {
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
        if (const auto running = back_up.running(); running.has_value()) {
          response.mutable_running_backup()->set_path(running->path);
          response.mutable_running_backup()->set_percent(running->percent);
        }
        return absl::OkStatus();
      });
  book.Serve<v1::BackUpRequest, v1::BackUpResponse>(
      "ostiary.v1.AdminService/BackUp",
      [&back_up](const auto& caller, auto& request, auto& response) {
        const auto made = back_up.Run(caller, request.path());
        if (!made.ok()) return made.status();
        ToMessage(*made, *response.mutable_backup());
        return absl::OkStatus();
      });
}

}  // namespace ostiary::door
