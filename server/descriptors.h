#ifndef OSTIARY_SERVER_DESCRIPTORS_H_
#define OSTIARY_SERVER_DESCRIPTORS_H_

// The file descriptors of the process, and how many connections they are for.
// A listener that took them all would stop the others, and the store.
namespace ostiary {

struct ConnectionShares {
  int grpc = 0;
  int http = 0;
  int ops = 0;
};

// Raises the process's limit as far as it may be raised, up to what we can use:
// a service manager's usual 1024 is meant for programs that call select().
// Returns the limit.
int RaiseDescriptorLimit();

// Shares that leave enough for the store, the listeners and the files. Pure.
ConnectionShares ShareDescriptors(int descriptors);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_DESCRIPTORS_H_
