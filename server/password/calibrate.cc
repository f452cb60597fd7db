#include "server/password/calibrate.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "server/base/random.h"
#include "server/password/presented_password.h"

namespace ostiary::password {
namespace {

constexpr int kRuns = 3;

// By cost: memory times iterations, never below OWASP's table.
constexpr std::array<HashParameters, 8> kCandidates = {{
    {19456, 2},
    {32768, 2},
    {47104, 2},
    {65536, 2},
    {65536, 3},
    {98304, 3},
    {131072, 3},
    {262144, 3},
}};

// The one place below main that reads a clock: it measures the machine.
absl::Duration Measure(const HashParameters& parameters) {
  SystemRandom random;
  const Hasher hasher(parameters, random);
  const PresentedPassword sample = PresentedPassword::From("calibration");
  std::array<absl::Duration, kRuns> took;
  for (absl::Duration& one : took) {
    const auto begin = std::chrono::steady_clock::now();
    (void)hasher.Hash(sample);
    one = absl::FromChrono(std::chrono::steady_clock::now() - begin);
  }
  std::sort(took.begin(), took.end());
  return took[kRuns / 2];
}

}  // namespace

Calibration Calibrate(absl::Duration target) {
  return CalibrateWith(target, Measure);
}

Calibration CalibrateWith(
    absl::Duration target,
    absl::FunctionRef<absl::Duration(const HashParameters&)> measure) {
  Calibration calibration;
  calibration.suggested = kCandidates.front();
  for (const HashParameters& candidate : kCandidates) {
    const absl::Duration took = measure(candidate);
    calibration.rows.push_back({candidate, took});
    if (took <= target) {
      calibration.suggested = candidate;
      calibration.within_target = true;
    }
    if (took > 2 * target) break;
  }
  return calibration;
}

}  // namespace ostiary::password
