// The C symbols that Embedded Swift code refers to and that no library brings on a bare wasm32 target:
// an allocator over memory.grow, the memory primitives, and the stack protector's two names.
//
// The allocator hands out blocks whose sizes are powers of two from 32 bytes up, each with a 16-byte header that
// remembers the block's class. A freed block goes to its class's list and is reused from there; nothing is split,
// merged or given back, because a guest lives for one request. Memory beyond the host's limit ends the guest with a
// trap: a null pointer is a valid address in WebAssembly, so carrying on would overwrite the guest's own data.

#include <stddef.h>
#include <stdint.h>

enum {
  page_size = 65536,
  header_size = 16,
  smallest_class = 5,
  class_count = 32,
};

struct free_block {
  struct free_block *next;
};

// The linker places the heap behind the data and the stack.
extern unsigned char __heap_base;

static struct free_block *free_lists[class_count];
static uintptr_t heap_next;

// Grows the linear memory; the previous size in pages, or -1 where the host refuses.
int32_t guest_memory_grow(uint32_t pages) {
  return (int32_t)__builtin_wasm_memory_grow(0, pages);
}

// The linear memory's size in pages of 64 KiB.
uint32_t guest_memory_size(void) { return (uint32_t)__builtin_wasm_memory_size(0); }

static void *take_from_heap(uintptr_t size) {
  if (heap_next == 0) heap_next = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
  // Read again each time: memory that the guest grew itself belongs to the heap too. In 64 bits, because the end of a
  // 4 GiB memory does not fit into 32.
  uint64_t available = (uint64_t)guest_memory_size() * page_size - heap_next;
  if (size > available) {
    uint32_t pages = (uint32_t)((size - available + page_size - 1) / page_size);
    if (guest_memory_grow(pages) < 0) __builtin_trap();
  }
  void *block = (void *)heap_next;
  heap_next += size;
  return block;
}

void *malloc(size_t size) {
  if (size > 0x40000000) __builtin_trap();
  uint32_t class = smallest_class;
  while (((size_t)1 << class) < size + header_size) class += 1;
  unsigned char *block = (unsigned char *)free_lists[class];
  if (block != NULL) {
    free_lists[class] = free_lists[class]->next;
  } else {
    block = take_from_heap((uintptr_t)1 << class);
  }
  *(uint32_t *)(block + header_size - 4) = class;
  return block + header_size;
}

void free(void *pointer) {
  if (pointer == NULL) return;
  unsigned char *block = (unsigned char *)pointer - header_size;
  uint32_t class = *(uint32_t *)(block + header_size - 4);
  struct free_block *freed = (struct free_block *)block;
  freed->next = free_lists[class];
  free_lists[class] = freed;
}

// Every block is aligned to 16 bytes, which is more than any Swift type needs on wasm32.
int posix_memalign(void **result, size_t alignment, size_t size) {
  if (alignment > 16) __builtin_trap();
  *result = malloc(size);
  return 0;
}

// The copies below become single bulk-memory instructions (-mbulk-memory).
void *memcpy(void *destination, const void *source, size_t count) {
  return __builtin_memcpy(destination, source, count);
}

void *memmove(void *destination, const void *source, size_t count) {
  return __builtin_memmove(destination, source, count);
}

void *memset(void *destination, int value, size_t count) {
  return __builtin_memset(destination, value, count);
}

int memcmp(const void *left, const void *right, size_t count) {
  const unsigned char *a = left;
  const unsigned char *b = right;
  for (size_t index = 0; index < count; index += 1) {
    if (a[index] != b[index]) return a[index] < b[index] ? -1 : 1;
  }
  return 0;
}

// The overflow checks of 64-bit multiplications need a product of 128 bits.
__int128 __multi3(__int128 left, __int128 right) {
  uint64_t left_low = (uint64_t)left;
  uint64_t right_low = (uint64_t)right;
  uint64_t a = left_low >> 32, b = left_low & 0xffffffff;
  uint64_t c = right_low >> 32, d = right_low & 0xffffffff;
  uint64_t low = b * d;
  uint64_t middle = a * d + (low >> 32);
  uint64_t cross = b * c + (middle & 0xffffffff);
  uint64_t high = a * c + (middle >> 32) + (cross >> 32);
  high += (uint64_t)(left >> 64) * right_low + left_low * (uint64_t)(right >> 64);
  return (__int128)((unsigned __int128)high << 64 | (cross << 32 | (low & 0xffffffff)));
}

// A guest's stack is private to one request, so a constant guard serves: it finds overruns, not attackers.
uintptr_t __stack_chk_guard = 0x5bd1e995;

void __stack_chk_fail(void) { __builtin_trap(); }
