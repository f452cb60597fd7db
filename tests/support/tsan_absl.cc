// Tells ThreadSanitizer about Abseil's locks. Debian's library is not
// instrumented, so that tsan takes everything an absl::Mutex guards for
// unguarded. The linker sends our own calls here (--wrap); the library's own
// stay as they are. Linked into tests of the tsan build only.
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);

// OSTIARY_ABSL_NAMESPACE is the inline namespace as symbols spell it,
// "7debian3".
#define REAL(member, symbol) \
  member __asm__("__real__ZN4absl" OSTIARY_ABSL_NAMESPACE symbol)
#define WRAP(member, symbol) \
  member __asm__("__wrap__ZN4absl" OSTIARY_ABSL_NAMESPACE symbol)
#define REAL_CONST(member, symbol) \
  member __asm__("__real__ZNK4absl" OSTIARY_ABSL_NAMESPACE symbol)
#define WRAP_CONST(member, symbol) \
  member __asm__("__wrap__ZNK4absl" OSTIARY_ABSL_NAMESPACE symbol)

namespace {

using absl::Condition;
using absl::Duration;
using absl::Mutex;
using absl::Notification;
using absl::Time;

void Acquire(const void* object) { __tsan_acquire(const_cast<void*>(object)); }
void Release(const void* object) { __tsan_release(const_cast<void*>(object)); }

}  // namespace

// The declarations give the symbols their names; C++ calls a member function
// like a function whose first argument is the object.
REAL(void RealLock(Mutex*), "5Mutex4LockEv");
REAL(void RealUnlock(Mutex*), "5Mutex6UnlockEv");
REAL(bool RealTryLock(Mutex*), "5Mutex7TryLockEv");
REAL(void RealReaderLock(Mutex*), "5Mutex10ReaderLockEv");
REAL(void RealReaderUnlock(Mutex*), "5Mutex12ReaderUnlockEv");
REAL(void RealAwait(Mutex*, const Condition&),
     "5Mutex5AwaitERKNS0_9ConditionE");
REAL(bool RealAwaitUntil(Mutex*, const Condition&, Time),
     "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
REAL(bool RealAwaitFor(Mutex*, const Condition&, Duration),
     "5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
REAL(void RealNotify(Notification*), "12Notification6NotifyEv");
REAL_CONST(void RealWait(const Notification*),
           "12Notification19WaitForNotificationEv");
REAL_CONST(bool RealWaitFor(const Notification*, Duration),
           "12Notification30WaitForNotificationWithTimeoutENS0_8DurationE");

WRAP(void WrapLock(Mutex*), "5Mutex4LockEv");
WRAP(void WrapUnlock(Mutex*), "5Mutex6UnlockEv");
WRAP(bool WrapTryLock(Mutex*), "5Mutex7TryLockEv");
WRAP(void WrapReaderLock(Mutex*), "5Mutex10ReaderLockEv");
WRAP(void WrapReaderUnlock(Mutex*), "5Mutex12ReaderUnlockEv");
WRAP(void WrapAwait(Mutex*, const Condition&),
     "5Mutex5AwaitERKNS0_9ConditionE");
WRAP(bool WrapAwaitUntil(Mutex*, const Condition&, Time),
     "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
WRAP(bool WrapAwaitFor(Mutex*, const Condition&, Duration),
     "5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
WRAP(void WrapNotify(Notification*), "12Notification6NotifyEv");
WRAP_CONST(void WrapWait(const Notification*),
           "12Notification19WaitForNotificationEv");
WRAP_CONST(bool WrapWaitFor(const Notification*, Duration),
           "12Notification30WaitForNotificationWithTimeoutENS0_8DurationE");

void WrapLock(Mutex* mutex) {
  RealLock(mutex);
  Acquire(mutex);
}

void WrapUnlock(Mutex* mutex) {
  Release(mutex);
  RealUnlock(mutex);
}

bool WrapTryLock(Mutex* mutex) {
  const bool locked = RealTryLock(mutex);
  if (locked) Acquire(mutex);
  return locked;
}

void WrapReaderLock(Mutex* mutex) {
  RealReaderLock(mutex);
  Acquire(mutex);
}

void WrapReaderUnlock(Mutex* mutex) {
  Release(mutex);
  RealReaderUnlock(mutex);
}

void WrapAwait(Mutex* mutex, const Condition& condition) {
  Release(mutex);
  RealAwait(mutex, condition);
  Acquire(mutex);
}

bool WrapAwaitUntil(Mutex* mutex, const Condition& condition, Time deadline) {
  Release(mutex);
  const bool holds = RealAwaitUntil(mutex, condition, deadline);
  Acquire(mutex);
  return holds;
}

bool WrapAwaitFor(Mutex* mutex, const Condition& condition, Duration timeout) {
  Release(mutex);
  const bool holds = RealAwaitFor(mutex, condition, timeout);
  Acquire(mutex);
  return holds;
}

void WrapNotify(Notification* notification) {
  Release(notification);
  RealNotify(notification);
}

void WrapWait(const Notification* notification) {
  RealWait(notification);
  Acquire(notification);
}

bool WrapWaitFor(const Notification* notification, Duration timeout) {
  const bool notified = RealWaitFor(notification, timeout);
  if (notified) Acquire(notification);
  return notified;
}
