// What the index and the request's page share.

/** A length of time in nanoseconds, as the server writes it: three digits that count, and a unit. */
export function duration(nanos) {
  const value = Math.max(0, nanos);
  if (value < 1000) return `${Math.round(value)} ns`;
  if (value < 999500) return `${significant(value / 1e3)} µs`;
  if (value < 999.5e6) return `${significant(value / 1e6)} ms`;
  return `${significant(value / 1e9)} s`;
}

/** A size in binary units. */
export function bytes(count) {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1023.5) return `${significant(count / 1024)} KiB`;
  return `${significant(count / 1024 / 1024)} MiB`;
}

function significant(value) {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

/** Turns instants in UTC into the reader's own time. */
export function showLocalTimes(root) {
  for (const element of root.querySelectorAll('time')) {
    const date = new Date(element.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    const two = (number) => String(number).padStart(2, '0');
    const milliseconds = String(date.getMilliseconds()).padStart(3, '0');
    element.title = element.dateTime;
    element.textContent =
      `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
  }
}

/** Calls `actions[key]` for keys that are typed outside of form fields. */
export function onKeys(actions) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest('input, select, textarea')) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
