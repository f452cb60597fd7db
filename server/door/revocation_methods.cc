#include <functional>
#include <utility>

#include "ostiary/v1/revocation_service.pb.h"
#include "server/door/methods.h"

namespace ostiary::door {

void ServeRevocations(RevocationFeed& feed, MethodBook& book) {
  book.ServeStream<v1::WatchRequest>(
      "ostiary.v1.RevocationService/Watch",
      [&feed](const v1::WatchRequest& request, std::function<void()> wake) {
        return feed.Subscribe(request, std::move(wake));
      });
}

}  // namespace ostiary::door
