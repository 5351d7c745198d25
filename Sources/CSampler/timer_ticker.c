#if defined(__linux__)
#define _GNU_SOURCE

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ticker.h"

// The C library's name for the field that only Linux has is younger than the field.
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

bool ticker_start(csampler_t *sampler) {
  (void)sampler;
  return true;
}

void ticker_stop(csampler_t *sampler) { (void)sampler; }

bool ticker_add(csampler_slot_t *slot) {
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGPROF;
  event.sigev_value.sival_ptr = slot;
  event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
  slot->ticker.random = clock_nanoseconds(CLOCK_MONOTONIC) | 1;
  // Not the clock of the thread's processor time: it is looked at only at the system's own ticks, which may be 4 ms apart.
  return timer_create(CLOCK_MONOTONIC, &event, &slot->ticker.timer) == 0;
}

void ticker_remove(csampler_slot_t *slot) { timer_delete(slot->ticker.timer); }

/// Sets the timer once more. Allowed in a handler.
static void arm(csampler_slot_t *slot, struct timespec pause) {
  struct itimerspec once = {.it_value = pause};
  slot->ticker.is_armed = timer_settime(slot->ticker.timer, 0, &once, NULL) == 0;
}

void ticker_guest_runs(csampler_slot_t *slot) {
  ticker_t *ticker = &slot->ticker;
  if (ticker->is_armed) return;
  // Anywhere within a period: a guest that runs for a tenth of it is met one time in ten, and counts for all of it then.
  uint64_t period = slot->sampler->period;
  (void)next_pause(period, &ticker->random);
  uint64_t pause = 1 + ticker->random % period;
  ticker->last_tick = clock_nanoseconds(CLOCK_MONOTONIC) + pause - period;
  ticker->idle_ticks = 0;
  arm(slot, (struct timespec){.tv_sec = (time_t)(pause / 1000000000u), .tv_nsec = (long)(pause % 1000000000u)});
}

csampler_slot_t *ticker_slot(const siginfo_t *info, uint64_t *elapsed) {
  if (info->si_code != SI_TIMER) return NULL;
  csampler_slot_t *slot = info->si_value.sival_ptr;
  ticker_t *ticker = &slot->ticker;
  uint64_t now = clock_nanoseconds(CLOCK_MONOTONIC);
  *elapsed = now - ticker->last_tick;
  ticker->last_tick = now;
  bool is_idle = atomic_load_explicit(&slot->guest, memory_order_relaxed) == NULL;
  ticker->idle_ticks = is_idle ? ticker->idle_ticks + 1 : 0;
  if (ticker->idle_ticks < IDLE_TICKS) {
    uint64_t period = slot->sampler->period * (is_to_be_spared(slot) ? BUSY_PERIODS : 1);
    arm(slot, next_pause(period, &ticker->random));
  } else {
    ticker->is_armed = false;
  }
  return slot;
}

#endif
