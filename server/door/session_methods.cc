#include "ostiary/v1/session_service.pb.h"
#include "server/door/messages.h"
#include "server/door/methods.h"

namespace ostiary::door {

void ServeSessions(const flow::ManageSessions& sessions, MethodBook& book) {
  book.Serve<v1::ListSessionsRequest, v1::ListSessionsResponse>(
      "ostiary.v1.SessionService/ListSessions",
      [&sessions](const auto& caller, auto& request, auto& response) {
        const auto rows = sessions.List(caller, request.account_id());
        if (!rows.ok()) return rows.status();
        for (const storage::SessionRow& row : *rows) {
          v1::Session& session = *response.add_sessions();
          ToMessage(row, session);
          session.set_current(caller.session_id == SessionId(row.session_id));
        }
        return absl::OkStatus();
      });
  book.Serve<v1::RevokeSessionRequest, v1::RevokeSessionResponse>(
      "ostiary.v1.SessionService/RevokeSession",
      [&sessions](const auto& caller, auto& request, auto& response) {
        const auto revision = sessions.Revoke(caller, request.session_id(), "");
        if (!revision.ok()) return revision.status();
        response.set_revision(*revision);
        return absl::OkStatus();
      });
  book.Serve<v1::RevokeAllSessionsRequest, v1::RevokeAllSessionsResponse>(
      "ostiary.v1.SessionService/RevokeAllSessions",
      [&sessions](const auto& caller, auto& request, auto& response) {
        const auto revision =
            sessions.RevokeAll(caller, request.account_id(), "");
        if (!revision.ok()) return revision.status();
        response.set_revision(*revision);
        return absl::OkStatus();
      });
}

}  // namespace ostiary::door
