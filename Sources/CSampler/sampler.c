#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack.h"
#include "ticker.h"

// MARK: The handler

static void record(csampler_slot_t *slot, const csampler_guest_t *guest, uint64_t elapsed, void *context) {
  uint64_t processor_time = clock_nanoseconds(CLOCK_THREAD_CPUTIME_ID);
  uint64_t used = processor_time - slot->processor_time;
  slot->processor_time = processor_time;
  // A thread that waited for its processor has not computed for the whole time.
  uint64_t weight = used < elapsed ? used : elapsed;
  uintptr_t frames[CSAMPLER_MAXIMUM_FRAMES];
  bool in_host = false;
  size_t count = csampler_walk_context(guest, context, frames, CSAMPLER_MAXIMUM_FRAMES, &in_host);
  // Without a frame it is the engine that works: it makes the instance, or changes stacks.
  if (count == 0) return;
  csampler_record_t head = {
      .time = clock_nanoseconds(CLOCK_MONOTONIC),
      .weight = weight > UINT32_MAX ? UINT32_MAX : (uint32_t)weight,
      .hostcall = (uint16_t)guest->hostcall,
      .frames = (uint16_t)count,
      .in_host = in_host,
  };
  size_t needed = sizeof head / sizeof(uint64_t) + count;
  if (slot->capacity - slot->used < needed) {
    slot->dropped += 1;
    return;
  }
  uint64_t *place = slot->words + slot->used;
  memcpy(place, &head, sizeof head);
  for (size_t index = 0; index < count; index++) place[sizeof head / sizeof(uint64_t) + index] = frames[index];
  slot->used += needed;
}

static void handle(int signal, siginfo_t *info, void *context) {
  (void)signal;
  int error = errno;
  uint64_t elapsed = 0;
  csampler_slot_t *slot = ticker_slot(info, &elapsed);
  csampler_guest_t *guest = slot == NULL ? NULL : atomic_load_explicit(&slot->guest, memory_order_relaxed);
  // The signal may come after the guest was left.
  if (guest != NULL) record(slot, guest, elapsed, context);
  errno = error;
}

static int installation;

static void install(void) {
  struct sigaction previous;
  installation = sigaction(SIGPROF, NULL, &previous);
  if (installation != 0) return;
  bool is_free = (previous.sa_flags & SA_SIGINFO) == 0 &&
                 (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN);
  if (!is_free) {
    installation = EBUSY;
    return;
  }
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handle;
  // On the alternate stack where the thread has one: a guest's own may be nearly full.
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  installation = sigaction(SIGPROF, &action, NULL);
}

// MARK: The sampler and its slots

csampler_t *csampler_new(uint64_t period, bool spares_busy_threads) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install);
  if (installation != 0 || period == 0) return NULL;
  csampler_t *sampler = calloc(1, sizeof *sampler);
  if (sampler == NULL) return NULL;
  sampler->period = period;
  sampler->spares_busy_threads = spares_busy_threads;
  if (ticker_start(sampler)) return sampler;
  free(sampler);
  return NULL;
}

void csampler_delete(csampler_t *sampler) {
  ticker_stop(sampler);
  free(sampler);
}

csampler_slot_t *csampler_slot_new(csampler_t *sampler, size_t capacity) {
  csampler_slot_t *slot = calloc(1, sizeof *slot);
  if (slot == NULL) return NULL;
  slot->sampler = sampler;
  slot->capacity = capacity;
  slot->words = calloc(capacity, sizeof *slot->words);
  if (slot->words != NULL && ticker_add(slot)) return slot;
  free(slot->words);
  free(slot);
  return NULL;
}

void csampler_slot_delete(csampler_slot_t *slot) {
  ticker_remove(slot);
  free(slot->words);
  free(slot);
}

void csampler_begin_request(csampler_slot_t *slot) {
  unsigned requests = atomic_load_explicit(&slot->requests, memory_order_relaxed);
  atomic_store_explicit(&slot->requests, requests + 1, memory_order_relaxed);
}

void csampler_enter(csampler_slot_t *slot, csampler_guest_t *guest) {
  // The handler runs in this thread: what matters is the order of instructions.
  atomic_signal_fence(memory_order_seq_cst);
  atomic_store_explicit(&slot->guest, guest, memory_order_relaxed);
  atomic_signal_fence(memory_order_seq_cst);
  ticker_guest_runs(slot);
}

size_t csampler_leave(csampler_slot_t *slot) {
  atomic_store_explicit(&slot->guest, NULL, memory_order_relaxed);
  // Behind this line the handler touches the buffer no more.
  atomic_signal_fence(memory_order_seq_cst);
  return slot->used;
}

const uint64_t *csampler_words(const csampler_slot_t *slot) { return slot->words; }

size_t csampler_clear(csampler_slot_t *slot) {
  size_t dropped = slot->dropped;
  slot->used = 0;
  slot->dropped = 0;
  return dropped;
}
