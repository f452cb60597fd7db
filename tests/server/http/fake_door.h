#ifndef OSTIARY_TESTS_SERVER_HTTP_FAKE_DOOR_H_
#define OSTIARY_TESTS_SERVER_HTTP_FAKE_DOOR_H_

#include <google/protobuf/message.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/base/lane.h"
#include "server/door/door.h"

namespace ostiary::http {

// A door with the methods a test gives it, each run inline or on a lane.
class FakeDoor final : public door::Door {
 public:
  using Act = std::function<absl::Status(const door::CallContext& context,
                                         const google::protobuf::Message& in,
                                         google::protobuf::Message& out)>;

  template <typename Request, typename Response>
  void Serve(const char* name, Act act,
             door::LaneName lane = door::LaneName::kInline) {
    methods_[name] = {{name, door::Access::kAnyone, lane, kMostBytes, 1},
                      std::move(act),
                      [] { return std::make_unique<Request>(); },
                      [] { return std::make_unique<Response>(); }};
  }
  void AddDocument(const std::string& path, door::Document document) {
    documents_[path] =
        std::make_shared<const door::Document>(std::move(document));
  }
  void SetReady(bool ready) { ready_ = ready; }

  static constexpr std::size_t kMostBytes = 4096;

  std::vector<const door::MethodRow*> Methods() const override {
    std::vector<const door::MethodRow*> rows;
    for (const auto& [name, method] : methods_) rows.push_back(&method.row);
    return rows;
  }
  const door::MethodRow* Find(absl::string_view name) const override {
    const auto found = methods_.find(std::string(name));
    return found == methods_.end() ? nullptr : &found->second.row;
  }
  std::unique_ptr<google::protobuf::Message> NewRequest(
      const door::MethodRow& row) const override {
    return methods_.at(std::string(row.name)).new_request();
  }
  std::unique_ptr<google::protobuf::Message> NewResponse(
      const door::MethodRow& row) const override {
    return methods_.at(std::string(row.name)).new_response();
  }
  void Dispatch(const door::MethodRow& row, const door::CallContext& context,
                google::protobuf::Message& request, door::Reply& answer,
                Done done) override {
    const Act& act = methods_.at(std::string(row.name)).act;
    if (row.lane == door::LaneName::kInline)
      return done(act(context, request, *answer.message));
    const bool taken = lane_.TrySubmit(
        [&act, &context, &request, &answer, done = std::move(done)]() mutable {
          const absl::Status status = act(context, request, *answer.message);
          done(status);
        });
    if (!taken) std::abort();
  }
  std::shared_ptr<const door::Document> FindDocument(
      absl::string_view path) const override {
    const auto found = documents_.find(std::string(path));
    return found == documents_.end() ? nullptr : found->second;
  }
  bool Ready() const override { return ready_; }
  door::GateAnswer AskGate(const door::ForwardedCheck& asked) override {
    asked_ = asked;
    return gate_answer_;
  }
  void AnswerGate(door::GateAnswer answer) { gate_answer_ = std::move(answer); }
  const door::ForwardedCheck& asked() const { return asked_; }

 private:
  struct Method {
    door::MethodRow row;
    Act act;
    std::function<std::unique_ptr<google::protobuf::Message>()> new_request;
    std::function<std::unique_ptr<google::protobuf::Message>()> new_response;
  };

  std::map<std::string, Method> methods_;
  std::map<std::string, std::shared_ptr<const door::Document>> documents_;
  std::atomic<bool> ready_{true};
  door::GateAnswer gate_answer_;
  door::ForwardedCheck asked_;
  Lane lane_{"fake", 2, 1024};
};

}  // namespace ostiary::http

#endif  // OSTIARY_TESTS_SERVER_HTTP_FAKE_DOOR_H_
