// Keeps the list of requests up to date. Rows and totals come ready from the server and are only put in their place.
import { onKeys, showLocalTimes } from './page.js';

const table = document.getElementById('requests');
const rows = table.tBodies[0];
const limit = Number(table.dataset.limit);
const growsAtTop = 'grows' in table.dataset;
const isArchive = new URLSearchParams(location.search).get('from') === 'archive';
const live = document.getElementById('live');
const filter = document.getElementById('filter');
let events = null;
let chosen = null;

showLocalTimes(table);

function takeRows(list) {
  if (isArchive) return;
  const unknown = list.filter(({ id }) => !rows.querySelector(`tr[data-id="${id}"]`));
  if (!unknown.length) return;
  if (!growsAtTop) {
    const more = document.getElementById('more');
    more.firstElementChild.href = location.href;
    more.hidden = false;
    return;
  }
  document.getElementById('empty')?.remove();
  // The newest comes first in the list, so the oldest is put in first.
  for (const { html } of unknown.reverse()) {
    const template = document.createElement('template');
    template.innerHTML = html;
    showLocalTimes(template.content);
    template.content.firstElementChild.classList.add('new');
    rows.prepend(template.content);
  }
  while (rows.rows.length > limit) rows.lastElementChild.remove();
}

function takeState(state) {
  const places = { summary: 'summary', in_flight: 'in-flight', routes: 'routes', range: isArchive ? '' : 'range' };
  for (const [key, id] of Object.entries(places)) {
    if (state[key] === undefined || !id) continue;
    const place = document.getElementById(id);
    if (key === 'summary' || key === 'range') place.textContent = state[key];
    else place.innerHTML = state[key];
  }
}

function listen() {
  events = new EventSource(`api/live${location.search}`);
  events.addEventListener('open', () => tell('live', false));
  events.addEventListener('error', () => tell('connection lost', true));
  events.addEventListener('rows', (event) => takeRows(JSON.parse(event.data)));
  events.addEventListener('state', (event) => takeState(JSON.parse(event.data)));
}

function tell(word, isLost) {
  live.querySelector('.word').textContent = word;
  live.classList.toggle('lost', isLost);
}

function pauseOrGoOn() {
  if (events) {
    events.close();
    events = null;
    tell('paused', false);
  } else {
    listen();
  }
  live.setAttribute('aria-pressed', String(events !== null));
}

function choose(step) {
  const all = [...rows.rows];
  if (!all.length) return;
  const place = all.indexOf(chosen) + (chosen || step > 0 ? step : 0);
  chosen?.classList.remove('chosen');
  chosen = all[Math.min(Math.max(place, 0), all.length - 1)];
  chosen.classList.add('chosen');
  chosen.scrollIntoView({ block: 'nearest' });
}

function open(row) {
  if (row) location.href = `r/${row.dataset.id}`;
}

rows.addEventListener('click', (event) => {
  if (!event.target.closest('a') && !String(getSelection())) open(event.target.closest('tr'));
});
filter.addEventListener('change', (event) => {
  if (event.target.matches('select')) filter.requestSubmit();
});
filter.addEventListener('submit', () => {
  // Fields that say nothing would only make the address longer.
  for (const field of filter.elements) if (field.name && !field.value) field.disabled = true;
});
addEventListener('pageshow', () => {
  for (const field of filter.elements) field.disabled = false;
});
live.addEventListener('click', pauseOrGoOn);
live.hidden = false;
onKeys({
  '/': () => filter.elements.path.select(),
  j: () => choose(1),
  k: () => choose(-1),
  Enter: () => open(chosen),
  p: pauseOrGoOn,
});
listen();
