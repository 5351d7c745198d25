// Turns the native JSON of a request into lanes for the timeline. Nothing here draws.
//
// A lane has rows; a row has layers, painted one over the other; a layer has items that are sorted and do not overlap.
// An item is { start, end, color, label, facts } and may have parts (the phases of a backend call), a group (the
// hostcall's name) and a mark for failure. Instants are nanoseconds from the trace's start.
import { bytes, duration } from './page.js';

const mostRows = 40;

export function model(trace) {
  const wall = Math.max(1, trace.wall_nanos);
  const calls = trace.backend_calls ?? [];
  const waits = (trace.blocked ?? []).map(wait);
  const spans = (trace.spans ?? []).map((each) => span(each, trace));
  let extent = wall;
  for (const call of calls) extent = Math.max(extent, call.started_nanos + call.total_nanos);
  const lanes = [
    { title: 'guest, host and waiting', rows: [owners(trace, wall, spans, waits)], height: 20, isShared: true },
    { title: 'hostcalls', rows: [[spans]], height: 18, thin: 0.8 },
  ];
  if (calls.length) lanes.push({ title: 'backend calls', rows: backendRows(calls), height: 15, thin: 1, besides: true });
  if (waits.length) lanes.push({ title: 'waiting for', rows: [[waits]], height: 14, thin: 0.8 });
  for (const [key, title] of [['guest_stacks', 'guest stacks'], ['native_stacks', 'stacks of an external profiler']]) {
    if (trace[key]) lanes.push({ title, rows: stackRows(trace[key], wall), height: 14, thin: 0.4 });
  }
  const memory = trace.deep?.heap_samples;
  if (memory?.length) lanes.push({ title: 'guest memory', curve: memory, height: 44, rows: [] });
  return { extent, wall, lanes, spans, marks: marks(trace) };
}

function marks(trace) {
  const marks = [];
  if (trace.header_flush_nanos !== undefined) marks.push({ at: trace.header_flush_nanos, label: 'head sent' });
  if (trace.hijacked_nanos !== undefined) marks.push({ at: trace.hijacked_nanos, label: 'taken over' });
  marks.push({ at: trace.wall_nanos, label: 'end' });
  return marks;
}

/** Who had the time, as items that do not overlap: waits, then hostcalls, then what came before, then the guest. */
function owners(trace, wall, spans, waits) {
  const { queue_nanos: queue, setup_nanos: setup } = trace.time;
  const plain = (label, start, end) => ({
    start, end, label, color: label, facts: [['start', duration(start)], ['duration', duration(end - start)]],
  });
  const before = [plain('queue', 0, queue), plain('setup', queue, queue + setup)];
  const guest = { start: 0, end: wall, label: 'guest', color: 'guest', facts: [['in all', duration(trace.time.guest_nanos)]] };
  const pieces = [...waits];
  for (const layer of [spans.map((each) => ({ ...each, color: 'host', label: 'host', failed: false })), before, [guest]]) {
    const left = without(layer, pieces);
    pieces.push(...left);
    pieces.sort((a, b) => a.start - b.start);
  }
  return [pieces];
}

/** The parts of items that others, sorted by their start, do not cover. */
function without(items, others) {
  const left = [];
  let next = 0;
  for (const item of items) {
    let cursor = item.start;
    const keep = (end) => {
      if (end > cursor) left.push({ ...item, start: cursor, end });
    };
    while (next > 0 && others[next - 1]?.end > item.start) next -= 1;
    for (; next < others.length && others[next].start < item.end; next += 1) {
      keep(Math.min(others[next].start, item.end));
      cursor = Math.max(cursor, others[next].end);
    }
    keep(item.end);
  }
  return left;
}

function wait(each) {
  const start = each.start_nanos;
  return {
    start, end: start + each.duration_nanos, color: each.cause, label: each.cause,
    title: each.cause === 'timer' ? 'asleep' : `waiting for ${each.cause}`,
    facts: [
      ['start', duration(start)], ['duration', duration(each.duration_nanos)],
      ['where', each.in_hostcall ? 'in a hostcall' : 'between hostcalls'],
    ],
  };
}

function span(each, trace) {
  const start = each.start_nanos;
  const blocked = each.blocked_nanos ?? 0;
  const touched = (each.labels ?? []).map((index) => trace.labels[index]).filter((label) => label?.name);
  const facts = [['start', duration(start)], ['duration', duration(each.duration_nanos)]];
  if (blocked) facts.push(['waiting', duration(blocked)], ['host', duration(each.duration_nanos - blocked)]);
  facts.push(['status', String(each.rc)]);
  if (touched.length) facts.push(['touched', touched.map(({ kind, name }) => `${kind} ${name}`).join(', ')]);
  if (each.tag_slots?.some((tag) => tag)) facts.push(['tags', each.tag_slots.join(' ')]);
  const short = each.name.slice(each.name.lastIndexOf('.') + 1);
  return {
    start, end: start + each.duration_nanos, color: moduleColor(each.name), title: each.name, group: each.name,
    label: touched.length ? `${short} ${touched[0].name}` : short, failed: each.rc !== 0, facts,
  };
}

/** Hostcalls that belong together look alike. */
function moduleColor(name) {
  if (name.startsWith('wasi')) return 'other';
  if (/kv|object_store|config|dictionary|secret|acl/.test(name)) return 'store';
  if (name.includes('cache')) return 'cache';
  if (/body|resp/.test(name)) return 'setup';
  if (/req|backend|async_io/.test(name)) return 'host';
  return 'queue';
}

// Backend calls

function backendRows(calls) {
  const items = calls.map(backendCall).sort((a, b) => a.start - b.start);
  if (items.length <= mostRows) return items.map((item) => [[item]]);
  // Many calls share rows where they do not overlap.
  const rows = [];
  for (const item of items) {
    const row = rows.find(([layer]) => layer.at(-1).end <= item.start);
    if (row) row[0].push(item);
    else rows.push([[item]]);
  }
  return rows;
}

function backendCall(call) {
  const start = call.started_nanos;
  const end = start + call.total_nanos;
  const parts = [];
  let cursor = start;
  const add = (color, until) => {
    const stop = Math.min(until, end);
    if (stop <= cursor) return;
    parts.push({ color, start: cursor, end: stop });
    cursor = stop;
  };
  for (const key of ['dns', 'connect', 'tls']) {
    const from = call[`${key}_start_nanos`];
    if (from === undefined) continue;
    add('pending', from);
    add(key, from + call[`${key}_nanos`]);
  }
  const first = call.ttfb_nanos === undefined ? undefined : start + call.ttfb_nanos;
  if (call.request_sent_nanos !== undefined) add('send', Math.min(start + call.request_sent_nanos, first ?? end));
  add('wait', first ?? end);
  add('receive', end);
  const names = {
    pending: 'pending', dns: 'DNS', connect: 'connect', tls: 'TLS', send: 'sending', wait: 'waiting',
    receive: 'receiving',
  };
  const failure = call.failure ? `${call.outcome}: ${call.failure}` : call.outcome;
  const facts = [['start', duration(start)], ['total', duration(call.total_nanos)]];
  for (const part of parts) facts.push([names[part.color], duration(part.end - part.start)]);
  facts.push(['status', String(call.status || '–')], ['outcome', failure], ['sent by', call.variant]);
  facts.push(['out', bytes(call.req_header_bytes + call.req_body_bytes)]);
  facts.push(['in', bytes(call.resp_header_bytes + call.resp_body_bytes)]);
  if (call.reused !== undefined) facts.push(['connection', call.reused ? 'reused' : 'new']);
  if (call.peer) facts.push(['peer', call.peer]);
  if (call.url_redacted) facts.push(['url', call.url_redacted]);
  return {
    start, end, parts, color: 'wait', title: `backend ${call.name}`, facts,
    label: `${call.name} ${call.status || call.outcome}`, failed: call.outcome !== 'ok',
  };
}

// Stacks

/** One row for each depth, from the outermost function down; a function that stays is one item. */
function stackRows({ frames, nodes, samples }, wall) {
  const gaps = samples.slice(1).map((sample, index) => sample.relative_nanos - samples[index].relative_nanos)
    .filter((gap) => gap > 0).sort((a, b) => a - b);
  // Between samples that are far apart the guest did not run.
  const reach = gaps.length ? gaps[gaps.length >> 1] * 1.5 : wall / 100;
  const rows = [];
  samples.forEach((sample, index) => {
    const start = sample.relative_nanos;
    const next = samples[index + 1]?.relative_nanos ?? wall;
    const end = Math.min(Math.max(next, start), start + Math.max(reach, sample.weight_nanos ?? 0));
    const path = [];
    for (let node = sample.stack; node >= 0 && nodes[node]; node = nodes[node][1]) path.unshift(nodes[node][0]);
    path.slice(0, mostRows).forEach((frame, depth) => {
      const layer = (rows[depth] ??= [[]])[0];
      const last = layer.at(-1);
      if (last && last.frame === frame && last.end === start) {
        last.end = end;
        last.samples += 1;
      } else {
        layer.push(stackItem(frames[frame], frame, start, end));
      }
    });
  });
  return rows;
}

const stackColors = ['guest', 'cache', 'timer', 'host', 'setup', 'client'];

function stackItem(function_, frame, start, end) {
  const color = function_.kind === 'guest' ? stackColors[frame % stackColors.length] : 'queue';
  return {
    start, end, frame, color, label: function_.name, title: function_.name, samples: 1,
    get facts() {
      const facts = [['start', duration(this.start)], ['seen for', duration(this.end - this.start)]];
      facts.push(['samples', String(this.samples)]);
      if (function_.module) facts.push(['module', function_.module]);
      return facts;
    },
  };
}
