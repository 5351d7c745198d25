// The request's page: the timeline, the way to other viewers, and keys.
import { model } from './model.js';
import { onKeys, showLocalTimes } from './page.js';
import { Timeline } from './timeline.js';

showLocalTimes(document);
onKeys({
  u: () => document.getElementById('up').click(),
  n: () => document.getElementById('newer')?.click(),
  o: () => document.getElementById('older')?.click(),
});
const viewers = document.getElementById('viewers');
const said = document.getElementById('viewers-said');
const address = (suffix) => new URL(viewers.dataset.id + suffix, location.href).href;

showTimeline().catch((error) => {
  // The plain timeline stays.
  console.error(error);
});
offerViewers();

async function showTimeline() {
  const place = document.getElementById('timeline');
  const response = await fetch(place.dataset.trace);
  if (!response.ok) return;
  const timeline = new Timeline(place, model(await response.json()));
  document.getElementById('waterfall').hidden = true;
  const table = document.getElementById('hostcalls');
  if (!table) return;
  table.classList.add('active');
  table.tBodies[0].addEventListener('click', (event) => {
    const row = event.target.closest('tr');
    const wasChosen = row.classList.contains('chosen');
    table.querySelector('.chosen')?.classList.remove('chosen');
    row.classList.toggle('chosen', !wasChosen);
    timeline.highlight(wasChosen ? null : row.dataset.name);
    if (!wasChosen) place.scrollIntoView({ block: 'nearest' });
  });
}

function offerViewers() {
  viewers.hidden = false;
  document.getElementById('open-firefox').addEventListener('click', () => {
    if (!('token' in viewers.dataset)) {
      open(`https://profiler.firefox.com/from-url/${encodeURIComponent(address('.firefox.json'))}`, '_blank', 'noopener');
      return;
    }
    // The viewer has no token to fetch with, so it is given the profile.
    handOver({
      page: 'https://profiler.firefox.com/from-post-message/', ask: { name: 'ready:request' },
      isReady: (data) => data?.name === 'ready:response',
      load: async () => {
        const profile = await (await fetch(address('.firefox.json'))).json();
        return { name: 'inject-profile', profile };
      },
    });
  });
  document.getElementById('open-perfetto').addEventListener('click', () => handOver({
    page: 'https://ui.perfetto.dev/', ask: 'PING', isReady: (data) => data === 'PONG',
    load: async () => {
      const buffer = await (await fetch(address('.perfetto'))).arrayBuffer();
      return { perfetto: { buffer, title: document.title, fileName: `request-${viewers.dataset.id}.pftrace` } };
    },
  }));
  document.getElementById('copy-curl').addEventListener('click', async () => {
    const token = 'token' in viewers.dataset ? " -H 'Authorization: Bearer TOKEN'" : '';
    const line = `curl -sS${token} -o request-${viewers.dataset.id}.json '${address('.json')}'`;
    try {
      await navigator.clipboard.writeText(line);
      said.textContent = 'Copied.';
    } catch {
      said.textContent = line;
    }
  });
}

/** Opens a viewer, asks until it answers that it is ready, and posts the trace to it. */
async function handOver({ page, ask, isReady, load }) {
  const { origin } = new URL(page);
  const viewer = open(page, '_blank');
  if (!viewer) {
    said.textContent = 'The browser did not let a new window open.';
    return;
  }
  said.textContent = 'Waiting for the viewer …';
  const ready = new Promise((resolve, reject) => {
    const asking = setInterval(() => viewer.postMessage(ask, origin), 200);
    const end = (action) => {
      clearInterval(asking);
      clearTimeout(limit);
      removeEventListener('message', hear);
      action();
    };
    const hear = (event) => {
      if (event.source === viewer && event.origin === origin && isReady(event.data)) end(resolve);
    };
    const limit = setTimeout(() => end(() => reject(new Error('the viewer does not answer'))), 30000);
    addEventListener('message', hear);
  });
  try {
    const [message] = await Promise.all([load(), ready]);
    viewer.postMessage(message, origin);
    said.textContent = 'Handed over.';
  } catch (error) {
    said.textContent = `Not handed over: ${error.message}.`;
  }
}
