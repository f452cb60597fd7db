#include "client/cpp/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/state_bytes.h"

namespace ostiary::client {
namespace {

// On disk. Another form gets another number.
constexpr std::uint64_t kForm = 0x31524556'5954534F;  // "OSTYVER1"
constexpr std::size_t kMaxText = 64 * 1024;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

enum Kind : std::uint8_t {
  kEnd = 0,
  kFingerprint = 1,
  kAccount = 2,
  kClient = 3,
  kKey = 4,
  kAllTokens = 5,
};

std::int64_t NanosOf(absl::Time time) {
  return time == absl::InfiniteFuture() ? kNever : absl::ToUnixNanos(time);
}
absl::Time TimeOfNanos(std::int64_t nanos) {
  return nanos == kNever ? absl::InfiniteFuture() : absl::FromUnixNanos(nanos);
}

void PutTime(StateBytes& out, absl::Time time) {
  out.PutNumber(static_cast<std::uint64_t>(NanosOf(time)), 8);
}
absl::Time TakeTime(StateBytes& in) {
  return TimeOfNanos(static_cast<std::int64_t>(in.TakeNumber(8)));
}

class EntryWriter final : public revocation::RevokedSet::Visitor {
 public:
  explicit EntryWriter(StateBytes& out) : out_(out) {}

  void OnFingerprint(revocation::Fingerprint fingerprint,
                     absl::Time forget_time) override {
    out_.PutNumber(kFingerprint, 1);
    out_.PutNumber(fingerprint.value, 7);
    PutTime(out_, forget_time);
  }
  void OnAccount(absl::string_view id, std::uint64_t min_generation,
                 absl::Time forget_time) override {
    out_.PutNumber(kAccount, 1);
    out_.PutText(id);
    out_.PutNumber(min_generation, 8);
    PutTime(out_, forget_time);
  }
  void OnClient(absl::string_view id, absl::Time issued_before,
                absl::Time forget_time) override {
    out_.PutNumber(kClient, 1);
    out_.PutText(id);
    PutTime(out_, issued_before);
    PutTime(out_, forget_time);
  }
  void OnAll(absl::Time issued_before, absl::Time forget_time) override {
    out_.PutNumber(kAllTokens, 1);
    PutTime(out_, issued_before);
    PutTime(out_, forget_time);
  }
  void OnKey(absl::string_view id) override {
    out_.PutNumber(kKey, 1);
    out_.PutText(id);
  }

 private:
  StateBytes& out_;
};

// Reads one entry; adds it to `revoked` unless that is null.
void TakeEntry(StateBytes& in, std::uint64_t kind,
               revocation::RevokedSet* revoked) {
  switch (kind) {
    case kFingerprint: {
      const revocation::Fingerprint fingerprint{in.TakeNumber(7)};
      const absl::Time forget_time = TakeTime(in);
      if (fingerprint.value >> revocation::Fingerprint::kBits != 0) in.Spoil();
      if (revoked && in.ok()) {
        revoked->AddFingerprints({fingerprint}, forget_time);
      }
      return;
    }
    case kAccount: {
      const std::string id = in.TakeText(kMaxText);
      const std::uint64_t min_generation = in.TakeNumber(8);
      const absl::Time forget_time = TakeTime(in);
      if (revoked) revoked->AddAccount(id, min_generation, forget_time);
      return;
    }
    case kClient: {
      const std::string id = in.TakeText(kMaxText);
      const absl::Time issued_before = TakeTime(in);
      const absl::Time forget_time = TakeTime(in);
      if (revoked) revoked->AddClient(id, issued_before, forget_time);
      return;
    }
    case kAllTokens: {
      const absl::Time issued_before = TakeTime(in);
      const absl::Time forget_time = TakeTime(in);
      if (revoked) revoked->AddAll(issued_before, forget_time);
      return;
    }
    case kKey: {
      const std::string id = in.TakeText(kMaxText);
      if (revoked) revoked->AddKey(id);
      return;
    }
    default:
      in.Spoil();
  }
}

struct Head {
  std::string issuer;
  jwt::KeySet keys;
  Position position;
  absl::Time as_of;
  Knowledge::Reached reached;
};

void PutHead(StateBytes& out, const Head& head) {
  out.PutNumber(kForm, 8);
  out.PutText(head.issuer);
  out.PutText(head.keys.ToJson());
  out.PutText(head.position.cursor);
  out.PutNumber(head.position.revision.epoch, 4);
  out.PutNumber(static_cast<std::uint64_t>(head.position.revision.sequence), 8);
  PutTime(out, head.as_of);
  out.PutNumber(head.reached.size(), 4);
  for (const auto& [epoch, sequence] : head.reached) {
    out.PutNumber(epoch, 4);
    out.PutNumber(static_cast<std::uint64_t>(sequence), 8);
  }
}

Head TakeHead(StateBytes& in) {
  Head head;
  if (in.TakeNumber(8) != kForm) in.Spoil();
  head.issuer = in.TakeText(kMaxText);
  const auto keys = jwt::KeySet::Parse(in.TakeText(jwt::KeySet::kMaxJsonBytes));
  if (!keys.ok()) in.Spoil();
  if (keys.ok()) head.keys = *keys;
  head.position.cursor = in.TakeText(kMaxText);
  head.position.revision.epoch = static_cast<std::uint32_t>(in.TakeNumber(4));
  head.position.revision.sequence = static_cast<std::int64_t>(in.TakeNumber(8));
  head.as_of = TakeTime(in);
  for (std::uint64_t left = in.TakeNumber(4); left > 0 && in.ok(); --left) {
    const auto epoch = static_cast<std::uint32_t>(in.TakeNumber(4));
    head.reached[epoch] = static_cast<std::int64_t>(in.TakeNumber(8));
  }
  return head;
}

// Holds keys that will be trusted: null where somebody else could have written
// it.
std::FILE* OpenOwn(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return nullptr;
  struct stat found;
  const bool ours = fstat(fd, &found) == 0 && S_ISREG(found.st_mode) &&
                    found.st_uid == geteuid() &&
                    (found.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  if (ours) return fdopen(fd, "rb");
  close(fd);
  return nullptr;
}

// All of the file; its entries go into `revoked` unless that is null.
std::optional<Head> TakeAll(const std::string& path,
                            revocation::RevokedSet* revoked) {
  StateBytes in(OpenOwn(path));
  if (!in.ok()) return std::nullopt;
  Head head = TakeHead(in);
  while (in.ok()) {
    const std::uint64_t kind = in.TakeNumber(1);
    if (!in.ok() || kind == kEnd) break;
    TakeEntry(in, kind, revoked);
  }
  in.CheckSeal();
  if (!in.ok()) return std::nullopt;
  return head;
}

std::FILE* CreateOwn(const std::string& path) {
  unlink(path.c_str());
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  return fd < 0 ? nullptr : fdopen(fd, "wb");
}

}  // namespace

absl::Status WriteState(const std::string& path, absl::string_view issuer,
                        const Knowledge& knowledge) {
  // The position first: entries that come meanwhile are merely early.
  const auto position = knowledge.position();
  if (!position) return absl::OkStatus();
  const Head head{std::string(issuer), knowledge.keys().set, *position,
                  knowledge.as_of(), knowledge.reached()};
  const std::string fresh = absl::StrCat(path, ".", getpid(), ".new");
  {
    StateBytes out(CreateOwn(fresh));
    PutHead(out, head);
    EntryWriter entries(out);
    knowledge.revoked().Visit(entries);
    out.PutNumber(kEnd, 1);
    out.Seal();
    if (out.ok() && std::rename(fresh.c_str(), path.c_str()) == 0) {
      return absl::OkStatus();
    }
  }
  const int error = errno;
  unlink(fresh.c_str());
  return absl::UnavailableError(absl::StrCat(path, ": ", strerror(error)));
}

absl::Status ReadState(const std::string& path, absl::string_view issuer,
                       absl::Time now, absl::Duration uptime,
                       Knowledge& knowledge) {
  if (access(path.c_str(), F_OK) != 0) return absl::NotFoundError(path);
  const auto head = TakeAll(path, nullptr);
  if (!head) {
    return absl::DataLossError(absl::StrCat(path, ": not whole"));
  }
  if (head->issuer != issuer) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": of another issuer"));
  }
  if (!TakeAll(path, &knowledge.revoked())) {
    return absl::DataLossError(absl::StrCat(path, ": changed while reading"));
  }
  knowledge.ReplaceKeys(head->keys);
  knowledge.Remember(head->reached);
  knowledge.MoveTo(head->position);
  if (head->as_of <= now) {
    knowledge.Freshen(head->as_of, uptime - (now - head->as_of));
  }
  return absl::OkStatus();
}

}  // namespace ostiary::client
