#ifndef OSTIARY_STORAGE_LEDGER_CHECK_H_
#define OSTIARY_STORAGE_LEDGER_CHECK_H_

#include <cstdint>

#include "storage/rows.h"

namespace ostiary::storage {

// The running hash over the ledger up to and including `row`, given that up to
// its predecessor: the first 8 bytes, big-endian, of
//   SHA-256(previous || canonical(row)).
// Two ledgers that agree in it at one sequence agree in all rows before it, so
// a reader with a cursor notices a store that was set back and then went on
// (the same sequence, other rows). It is no signature: who can write the store
// can compute it.
//
// canonical(row), all integers big-endian:
//   u64 sequence, u8 kind, u32 length and bytes of key, u64 min_generation,
//   i64 issued_before, i64 commit_time, i64 expire_time (as stored: see
//   stored_time.h), u32 length and bytes of reason.
// `row.check` is not read. Lives on disk and on the wire.
std::uint64_t NextLedgerCheck(std::uint64_t previous, const LedgerRow& row);

}  // namespace ostiary::storage

#endif  // OSTIARY_STORAGE_LEDGER_CHECK_H_
