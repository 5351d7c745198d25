#ifndef CTIMESTAMP_H
#define CTIMESTAMP_H

#include <stdint.h>
#include <time.h>

/// Reads the processor's cycle counter: a few nanoseconds where `clock_gettime` costs tens.
/// The caller calibrates it against the monotonic clock (see `TraceClock`).
static inline uint64_t ctimestamp_cycles(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t value;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#else
  return 0;
#endif
}

/// Nanoseconds of the monotonic clock.
static inline uint64_t ctimestamp_monotonic(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// Numbers the threads of the process as they come: the number of this one, from 1.
uint32_t ctimestamp_thread_number(void);

#endif
