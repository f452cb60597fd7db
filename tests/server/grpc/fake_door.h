#ifndef OSTIARY_TESTS_SERVER_GRPC_FAKE_DOOR_H_
#define OSTIARY_TESTS_SERVER_GRPC_FAKE_DOOR_H_

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/message.h"
#include "server/base/lane.h"
#include "server/base/reason.h"
#include "server/door/door.h"

namespace ostiary::rpc {

// A door with the rows and answers a test gives it. Rows are added before a
// server starts.
class FakeDoor final : public door::Door {
 public:
  using Handler = std::function<absl::Status(
      const door::CallContext&, const google::protobuf::Message& request,
      google::protobuf::Message& response)>;

  template <typename Req, typename Resp>
  void On(
      const std::string& name, door::LaneName lane,
      std::function<absl::Status(const door::CallContext&, const Req&, Resp&)>
          answer,
      std::size_t max_request_bytes = 16 << 10, int slots = 4) {
    Answered<Req, Resp>(rows_, name, lane, std::move(answer), max_request_bytes,
                        slots);
  }

  // The same for a method whose callers send one request after the other.
  template <typename Req, typename Resp>
  void OnExchange(
      const std::string& name, door::LaneName lane,
      std::function<absl::Status(const door::CallContext&, const Req&, Resp&)>
          answer,
      std::size_t max_request_bytes = 16 << 10, int slots = 4) {
    Answered<Req, Resp>(exchange_rows_, name, lane, std::move(answer),
                        max_request_bytes, slots);
  }

  template <typename Req, typename Resp>
  void Answered(
      std::deque<door::MethodRow>& rows, const std::string& name,
      door::LaneName lane,
      std::function<absl::Status(const door::CallContext&, const Req&, Resp&)>
          answer,
      std::size_t max_request_bytes, int slots) {
    names_.push_back(name);
    rows.push_back(
        {names_.back(), door::Access::kAnyone, lane, max_request_bytes, slots});
    prototypes_[name] = {&Req::default_instance(), &Resp::default_instance()};
    handlers_[name] = [answer = std::move(answer)](
                          const door::CallContext& context,
                          const google::protobuf::Message& request,
                          google::protobuf::Message& response) {
      return answer(context, static_cast<const Req&>(request),
                    static_cast<Resp&>(response));
    };
  }

  using Subscriber =
      std::function<absl::StatusOr<std::unique_ptr<door::Subscription>>(
          const google::protobuf::Message& request,
          std::function<void()> wake)>;

  template <typename Req>
  void OnStream(const std::string& name, Subscriber subscribe,
                std::size_t max_request_bytes = 1024, int slots = 4) {
    names_.push_back(name);
    stream_rows_.push_back({names_.back(), door::Access::kAnyone,
                            door::LaneName::kStream, max_request_bytes, slots});
    prototypes_[name] = {&Req::default_instance(), nullptr};
    subscribers_[name] = std::move(subscribe);
  }

  void set_ready(bool ready) { ready_ = ready; }
  Lane& lane() { return lane_; }

  std::vector<const door::MethodRow*> Methods() const override {
    std::vector<const door::MethodRow*> rows;
    for (const door::MethodRow& row : rows_) rows.push_back(&row);
    return rows;
  }
  const door::MethodRow* Find(absl::string_view name) const override {
    for (const door::MethodRow& row : rows_)
      if (row.name == name) return &row;
    return nullptr;
  }
  std::unique_ptr<google::protobuf::Message> NewRequest(
      const door::MethodRow& row) const override {
    return New(prototypes_.at(std::string(row.name)).first);
  }
  std::unique_ptr<google::protobuf::Message> NewResponse(
      const door::MethodRow& row) const override {
    return New(prototypes_.at(std::string(row.name)).second);
  }

  void Dispatch(const door::MethodRow& row, const door::CallContext& context,
                google::protobuf::Message& request, door::Reply& answer,
                Done done) override {
    const Handler& handler = handlers_.find(std::string(row.name))->second;
    if (row.lane == door::LaneName::kInline)
      return done(handler(context, request, *answer.message));
    auto shared = std::make_shared<Done>(std::move(done));
    const bool taken = lane_.TrySubmit(
        [&, shared] { (*shared)(handler(context, request, *answer.message)); });
    if (!taken) (*shared)(RefuseUntil(Reason::kOverloaded, absl::Seconds(1)));
  }

  std::vector<const door::MethodRow*> Exchanges() const override {
    std::vector<const door::MethodRow*> rows;
    for (const door::MethodRow& row : exchange_rows_) rows.push_back(&row);
    return rows;
  }
  std::vector<const door::MethodRow*> Streams() const override {
    std::vector<const door::MethodRow*> rows;
    for (const door::MethodRow& row : stream_rows_) rows.push_back(&row);
    return rows;
  }
  absl::StatusOr<std::unique_ptr<door::Subscription>> Subscribe(
      const door::MethodRow& row, const door::CallContext&,
      const google::protobuf::Message& request,
      std::function<void()> wake) override {
    return subscribers_.at(std::string(row.name))(request, std::move(wake));
  }

  std::shared_ptr<const door::Document> FindDocument(
      absl::string_view) const override {
    return nullptr;
  }
  bool Ready() const override { return ready_; }

 private:
  using Prototype = const google::protobuf::Message*;

  static std::unique_ptr<google::protobuf::Message> New(Prototype prototype) {
    return std::unique_ptr<google::protobuf::Message>(prototype->New());
  }

  std::deque<std::string> names_;  // what the rows' names point to
  std::deque<door::MethodRow> rows_;
  std::deque<door::MethodRow> stream_rows_;
  std::deque<door::MethodRow> exchange_rows_;
  std::map<std::string, Handler> handlers_;
  std::map<std::string, Subscriber> subscribers_;
  std::map<std::string, std::pair<Prototype, Prototype>> prototypes_;
  std::atomic<bool> ready_{true};
  Lane lane_{"fake", 4, 1000};
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_TESTS_SERVER_GRPC_FAKE_DOOR_H_
