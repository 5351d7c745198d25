#if !defined(__linux__)

#include "ticker.h"

/// The slot whose guest this thread runs.
static _Thread_local csampler_slot_t *volatile current_slot;

static bool signal_guests(csampler_t *sampler, uint64_t elapsed) {
  bool any = false;
  for (csampler_slot_t *slot = sampler->slots; slot != NULL; slot = slot->next) {
    if (atomic_load(&slot->guest) == NULL) continue;
    any = true;
    atomic_fetch_add_explicit(&slot->ticker.due, elapsed, memory_order_relaxed);
    // Spared ticks are added up, and the signal that ends them stands for all.
    if (is_to_be_spared(slot) && ++slot->ticker.spared < BUSY_PERIODS) continue;
    slot->ticker.spared = 0;
    pthread_kill(slot->ticker.thread, SIGPROF);
  }
  return any;
}

/// Waits until there is a guest, or the end. The lock is held.
static void park(csampler_t *sampler) {
  atomic_store(&sampler->is_parked, true);
  while (!sampler->is_stopped) {
    bool any = false;
    for (csampler_slot_t *slot = sampler->slots; slot != NULL; slot = slot->next) any |= atomic_load(&slot->guest) != NULL;
    if (any) break;
    pthread_cond_wait(&sampler->wake, &sampler->lock);
  }
  atomic_store(&sampler->is_parked, false);
}

static void *run(void *argument) {
  csampler_t *sampler = argument;
  pthread_setname_np("fastlike-sample");
  uint64_t last = clock_nanoseconds(CLOCK_MONOTONIC);
  uint64_t random = last | 1;
  unsigned idle = 0;
  for (;;) {
    struct timespec pause = next_pause(sampler->period, &random);
    nanosleep(&pause, NULL);
    uint64_t now = clock_nanoseconds(CLOCK_MONOTONIC);
    pthread_mutex_lock(&sampler->lock);
    idle = signal_guests(sampler, now - last) ? 0 : idle + 1;
    if (idle >= IDLE_TICKS) {
      park(sampler);
      now = clock_nanoseconds(CLOCK_MONOTONIC);
      idle = 0;
    }
    bool is_stopped = sampler->is_stopped;
    pthread_mutex_unlock(&sampler->lock);
    last = now;
    if (is_stopped) return NULL;
  }
}

bool ticker_start(csampler_t *sampler) {
  pthread_mutex_init(&sampler->lock, NULL);
  pthread_cond_init(&sampler->wake, NULL);
  // The thread takes no signals of the process away from the threads that wait for them.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failure = pthread_create(&sampler->thread, NULL, run, sampler);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failure == 0;
}

void ticker_stop(csampler_t *sampler) {
  pthread_mutex_lock(&sampler->lock);
  sampler->is_stopped = true;
  pthread_cond_signal(&sampler->wake);
  pthread_mutex_unlock(&sampler->lock);
  pthread_join(sampler->thread, NULL);
  pthread_cond_destroy(&sampler->wake);
  pthread_mutex_destroy(&sampler->lock);
}

bool ticker_add(csampler_slot_t *slot) {
  slot->ticker.thread = pthread_self();
  // Touched here, because the first access of a thread may allocate, which a handler must not.
  current_slot = NULL;
  csampler_t *sampler = slot->sampler;
  pthread_mutex_lock(&sampler->lock);
  slot->next = sampler->slots;
  sampler->slots = slot;
  pthread_mutex_unlock(&sampler->lock);
  return true;
}

void ticker_remove(csampler_slot_t *slot) {
  csampler_t *sampler = slot->sampler;
  pthread_mutex_lock(&sampler->lock);
  for (csampler_slot_t **link = &sampler->slots; *link != NULL; link = &(*link)->next) {
    if (*link != slot) continue;
    *link = slot->next;
    break;
  }
  pthread_mutex_unlock(&sampler->lock);
}

void ticker_guest_runs(csampler_slot_t *slot) {
  current_slot = slot;
  csampler_t *sampler = slot->sampler;
  // Either this sees that the thread sleeps, or the thread sees the guest before it does.
  atomic_thread_fence(memory_order_seq_cst);
  if (!atomic_load(&sampler->is_parked)) return;
  pthread_mutex_lock(&sampler->lock);
  pthread_cond_signal(&sampler->wake);
  pthread_mutex_unlock(&sampler->lock);
}

csampler_slot_t *ticker_slot(const siginfo_t *info, uint64_t *elapsed) {
  (void)info;
  csampler_slot_t *slot = current_slot;
  if (slot != NULL) *elapsed = atomic_exchange_explicit(&slot->ticker.due, 0, memory_order_relaxed);
  return slot;
}

#endif
