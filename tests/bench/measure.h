#ifndef OSTIARY_TESTS_BENCH_MEASURE_H_
#define OSTIARY_TESTS_BENCH_MEASURE_H_

#include <cstddef>
#include <vector>

#include "absl/time/time.h"

namespace ostiary::bench {

// The value below which `share` (0 to 1) of the samples lie. Sorts them.
// Requires at least one.
double Percentile(std::vector<double>& samples, double share);

// CPU time, user and system, that the process has used until now, from the
// operating system. Zero if there is no such process.
absl::Duration CpuOf(int pid);

// Resident memory of a process.
std::size_t ResidentBytes(int pid);

// What of it is the process's own: not backed by a file that others may map
// (RssAnon).
std::size_t OwnBytes(int pid);

}  // namespace ostiary::bench

#endif  // OSTIARY_TESTS_BENCH_MEASURE_H_
