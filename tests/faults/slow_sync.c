/* A disk whose syncs take long: preloaded into a server, it makes fsync and
 * fdatasync take SLOW_SYNC_MILLIS longer while the file SLOW_SYNC_SWITCH is
 * there, and writes when each began and ended (CLOCK_MONOTONIC, in seconds) to
 * SLOW_SYNC_LOG. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void Note(double began, double ended) {
  char line[64];
  const int size = snprintf(line, sizeof line, "%.6f %.6f\n", began, ended);
  const int log = open(getenv("SLOW_SYNC_LOG"),
                       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return;
  if (write(log, line, (size_t)size) != size) abort();
  close(log);
}

static int Slowly(const char *name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  const double began = Now();
  if (access(getenv("SLOW_SYNC_SWITCH"), F_OK) == 0) {
    const long millis = atol(getenv("SLOW_SYNC_MILLIS"));
    const struct timespec wait = {millis / 1000, millis % 1000 * 1000000};
    nanosleep(&wait, NULL);
  }
  const int result = real(fd);
  Note(began, Now());
  return result;
}

int fsync(int fd) { return Slowly("fsync", fd); }
int fdatasync(int fd) { return Slowly("fdatasync", fd); }
