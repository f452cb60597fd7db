#ifndef OSTIARY_SERVER_LIMIT_ZEROED_ARRAY_H_
#define OSTIARY_SERVER_LIMIT_ZEROED_ARRAY_H_

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

namespace ostiary::limit {

// A fixed number of slots that begin as zero bytes. Unlike a vector's they are
// not touched until they are used: a large table costs an idle server no
// memory and its start no time, as the system hands out zeroed pages one by
// one.
template <typename Slot>
class ZeroedArray {
  // All zeroes is a Slot, and nothing runs to make or destroy it.
  static_assert(std::is_trivially_copyable_v<Slot> &&
                std::is_trivially_destructible_v<Slot> &&
                std::is_aggregate_v<Slot>);

 public:
  explicit ZeroedArray(std::size_t size)
      : slots_(static_cast<Slot*>(std::calloc(size, sizeof(Slot)))),
        size_(size) {
    if (slots_ == nullptr) throw std::bad_alloc();
  }

  std::size_t size() const { return size_; }
  Slot& operator[](std::size_t i) { return slots_.get()[i]; }
  const Slot& operator[](std::size_t i) const { return slots_.get()[i]; }

 private:
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };

  const std::unique_ptr<Slot, Free> slots_;
  const std::size_t size_;
};

}  // namespace ostiary::limit

#endif  // OSTIARY_SERVER_LIMIT_ZEROED_ARRAY_H_
