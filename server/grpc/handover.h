#ifndef OSTIARY_SERVER_GRPC_HANDOVER_H_
#define OSTIARY_SERVER_GRPC_HANDOVER_H_

// Tells ThreadSanitizer what it cannot see, because gRPC's library is not
// instrumented: that an object handed to a completion queue on one thread is
// taken up on another after, not beside. Nothing in other builds.

#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace ostiary::rpc {

// Before every operation that will bring `tag` back.
inline void HandOver([[maybe_unused]] void* tag) {
#if defined(__SANITIZE_THREAD__)
  __tsan_release(tag);
#endif
}

// When the queue has brought `tag` back.
inline void TakeUp([[maybe_unused]] void* tag) {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(tag);
#endif
}

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_HANDOVER_H_
