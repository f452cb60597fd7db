#ifndef OSTIARY_SERVER_DOOR_HOUSE_DOOR_H_
#define OSTIARY_SERVER_DOOR_HOUSE_DOOR_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/base/clock.h"
#include "server/base/lane.h"
#include "server/base/log.h"
#include "server/base/metrics.h"
#include "server/base/random.h"
#include "server/door/admission.h"
#include "server/door/door.h"
#include "server/door/method_book.h"

namespace ostiary::door {

// The house's one door: the same five steps for every method, whichever wire
// it came in on.
class HouseDoor final : public Door {
 public:
  // A document made when it is asked for, from what is in memory.
  using DocumentSource = std::function<std::shared_ptr<const Document>()>;

  // Documents beneath one path, found by what follows it.
  struct Shelf {
    std::string path;  // ends with "/"
    std::function<std::shared_ptr<const Document>(absl::string_view name)> find;
  };

  struct Parts {
    const Clock& clock;
    Random& random;
    Logger& logger;
    Metrics& metrics;
    const Admission& admission;
    const MethodBook& methods;
    Lane& store_lane;
    Lane& password_lane;
    Lane& slow_lane;
    absl::flat_hash_map<std::string, DocumentSource> documents;
    std::vector<Shelf> shelves = {};
  };
  explicit HouseDoor(Parts parts);
  ~HouseDoor() override;

  std::vector<const MethodRow*> Methods() const override {
    return parts_.methods.rows();
  }
  const MethodRow* Find(absl::string_view name) const override;
  std::unique_ptr<google::protobuf::Message> NewRequest(
      const MethodRow& row) const override;
  std::unique_ptr<google::protobuf::Message> NewResponse(
      const MethodRow& row) const override;
  void Dispatch(const MethodRow& row, const CallContext& context,
                google::protobuf::Message& request, Reply& reply,
                Done done) override;
  std::vector<const MethodRow*> Exchanges() const override {
    return parts_.methods.exchange_rows();
  }
  std::vector<const MethodRow*> Streams() const override {
    return parts_.methods.stream_rows();
  }
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(
      const MethodRow& row, const CallContext& context,
      const google::protobuf::Message& request,
      std::function<void()> wake) override;
  GateAnswer AskGate(const ForwardedCheck& asked) override;
  std::shared_ptr<const Document> FindDocument(
      absl::string_view path) const override;
  bool Ready() const override { return open_.load(std::memory_order_acquire); }

  // Opens once everything is loaded; closes when draining begins. A closed
  // door answers kNotReady.
  void Open() { open_.store(true, std::memory_order_release); }
  void Close() { open_.store(false, std::memory_order_release); }

 private:
  struct Figures;

  absl::Status Serve(const MethodBook::Method& method,
                     const CallContext& context,
                     google::protobuf::Message& request, Reply& reply);
  std::optional<absl::Status> ServeAtOnce(const MethodBook::Method& method,
                                          const CallContext& context,
                                          google::protobuf::Message& request,
                                          Reply& reply);
  absl::StatusOr<flow::Caller> Begin(const MethodRow& row,
                                     const CallContext& context) const;
  absl::Status Conclude(const MethodBook::Method& method,
                        google::protobuf::Message& request, absl::Time began,
                        absl::Status status);
  absl::Status TurnAway(const MethodBook::Method& method,
                        google::protobuf::Message& request,
                        absl::Status refused);
  absl::StatusOr<std::unique_ptr<Subscription>> AdmitAndSubscribe(
      const MethodBook::Stream& stream, const CallContext& context,
      const google::protobuf::Message& request, std::function<void()> wake);
  absl::Status MakePublic(const MethodRow& row, absl::Status status);
  Lane& LaneOf(LaneName name) const;
  void Count(const MethodRow& row, const absl::Status& status,
             absl::Duration took);

  Parts parts_;
  absl::flat_hash_map<const MethodRow*, std::unique_ptr<Figures>> figures_;
  std::atomic<bool> open_{false};
};

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_HOUSE_DOOR_H_
