#ifndef CSAMPLER_TICKER_H
#define CSAMPLER_TICKER_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "CSampler.h"

// What sends the signals. There are two: `timer_ticker.c` for Linux, `thread_ticker.c` for the others, because only Linux
// has timers that signal one thread. Such a timer costs a third of what a thread does that sleeps and signals another core.

/// Ticks without a guest after which there are no more until one runs.
#define IDLE_TICKS 20
/// A thread whose guests have begun with more requests than this since its last tick is busy with short ones.
#define BUSY_REQUESTS 16
/// What the period of a busy thread is multiplied by, where it is spared.
#define BUSY_PERIODS 4

/// A slot's part of the ticker.
typedef struct ticker {
#if defined(__linux__)
  timer_t timer;
  /// These belong to the slot's thread and its handler.
  volatile bool is_armed;
  unsigned idle_ticks;
  uint64_t last_tick;
  uint64_t random;
#else
  pthread_t thread;
  /// Nanoseconds of ticks whose signal has not been handled.
  _Atomic uint64_t due;
  /// Ticks that the thread was spared in a row. Belongs to the sampler's thread.
  unsigned spared;
#endif
} ticker_t;

struct csampler {
  uint64_t period;
  bool spares_busy_threads;
#if !defined(__linux__)
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  /// Guarded by `lock`.
  csampler_slot_t *slots;
  bool is_stopped;
  _Atomic bool is_parked;
#endif
};

struct csampler_slot {
  csampler_t *sampler;
  csampler_slot_t *next;
  ticker_t ticker;
  /// The guest that runs, null between guests. Written by the slot's thread, and read by its handler and by the ticker.
  _Atomic(csampler_guest_t *) guest;
  /// How many requests guests have begun with since the last tick. Counted by the slot's thread, and reset by the tick.
  _Atomic unsigned requests;
  /// The thread's processor time at the last sample.
  uint64_t processor_time;
  /// The buffer belongs to the slot's thread and its handler, which never run at the same time.
  uint64_t *words;
  size_t capacity;
  volatile size_t used;
  volatile size_t dropped;
};

bool ticker_start(csampler_t *sampler);
void ticker_stop(csampler_t *sampler);
/// Called on the slot's own thread.
bool ticker_add(csampler_slot_t *slot);
void ticker_remove(csampler_slot_t *slot);
/// A guest has been put into the slot.
void ticker_guest_runs(csampler_slot_t *slot);
/// In the handler: the slot that the signal is for, and the nanoseconds that the tick stands for. Null for none.
csampler_slot_t *ticker_slot(const siginfo_t *info, uint64_t *elapsed);

/// Whether the slot's thread serves so many requests that it is to be spared. Begins to count anew.
static inline bool is_to_be_spared(csampler_slot_t *slot) {
  unsigned requests = atomic_exchange_explicit(&slot->requests, 0, memory_order_relaxed);
  return slot->sampler->spares_busy_threads && requests > BUSY_REQUESTS;
}

static inline uint64_t clock_nanoseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// The next pause of a ticker: half a period to one and a half, so that no rhythm of the guest is met always or never.
static inline struct timespec next_pause(uint64_t period, uint64_t *random) {
  // xorshift
  *random ^= *random << 13;
  *random ^= *random >> 7;
  *random ^= *random << 17;
  uint64_t pause = period / 2 + *random % period;
  return (struct timespec){.tv_sec = (time_t)(pause / 1000000000u), .tv_nsec = (long)(pause % 1000000000u)};
}

#endif
