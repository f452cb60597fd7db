#ifndef OSTIARY_TESTS_STORAGE_FAULTS_DUMP_H_
#define OSTIARY_TESTS_STORAGE_FAULTS_DUMP_H_

#include <map>
#include <string>
#include <vector>

namespace ostiary::testing {

// Every row of every table, as texts; but for what a store writes by itself to
// see whether it can. Read past the store, and past its faulty disk.
using Dump = std::map<std::string, std::vector<std::string>>;

// Of the store's file at `path`, with its log. Ends the test program if it
// cannot be read.
Dump DumpOf(const std::string& path);

// The same if SQLite finds it damaged.
void ExpectUndamaged(const std::string& path);

// Writes the same again as another process would: every connection of the store
// then reads its pages anew.
void MakeCachesCold(const std::string& path);

// How many rows each table has.
std::map<std::string, std::size_t> Shape(const Dump& dump);

// The tables in which the two differ, for people.
std::string Difference(const Dump& a, const Dump& b);

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_STORAGE_FAULTS_DUMP_H_
