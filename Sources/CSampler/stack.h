#ifndef CSAMPLER_STACK_H
#define CSAMPLER_STACK_H

#include "CSampler.h"

/// The guest's frames at the place where a signal interrupted the thread, innermost first; 0 where there are none.
/// `context` is the third argument of the signal's handler. Async-signal-safe.
size_t csampler_walk_context(const csampler_guest_t *guest, const void *context, uintptr_t *frames, size_t capacity,
                             bool *in_host);

#endif
