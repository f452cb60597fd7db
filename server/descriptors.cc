#include "server/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace ostiary {
namespace {

constexpr int kMostOfUse = 16384;
// For all that is no connection of a caller: a store uses some thirty.
constexpr int kKeptBack = 256;
constexpr int kMostGrpc = 8192;
constexpr int kMostHttp = 1024;
constexpr int kMostOps = 256;

}  // namespace

int RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, kMostOfUse);
  if (limit.rlim_cur < wanted) {
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  }
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, kMostOfUse));
}

ConnectionShares ShareDescriptors(int descriptors) {
  const int left = std::max(descriptors - kKeptBack, descriptors / 2);
  return {std::clamp(left / 2, 1, kMostGrpc),
          std::clamp(left / 4, 1, kMostHttp),
          std::clamp(left / 8, 1, kMostOps)};
}

}  // namespace ostiary
