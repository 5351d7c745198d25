// Zoom, search and copying for the flame graph. The drawing itself is the page's; this draws it anew from the same data.
import { duration } from './page.js';

const place = document.getElementById('flame');
const told = document.getElementById('told');
const found = document.getElementById('found');
const rowHeight = 18;
const namespace = 'http://www.w3.org/2000/svg';
let graph = null;
let zoomed = 0;
let chosen = 0;
let word = '';

function make(name, attributes, text) {
  const element = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** The shade of a name, as the server counts it (FNV-1a). */
function shade(name) {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  return hash % 3;
}

function read(file) {
  const nodes = file.nodes.map(([frame, parent, own, total]) => ({ frame: file.frames[frame], parent, own, total, children: [] }));
  nodes.forEach((node, index) => node.parent >= 0 && nodes[node.parent].children.push(index));
  for (const node of nodes) node.children.sort((a, b) => nodes[b].total - nodes[a].total || (nodes[a].frame.name < nodes[b].frame.name ? -1 : 1));
  return { nodes, isTimed: file.unit === 'nanoseconds' };
}

function path(index) {
  const names = [];
  for (let at = index; at > 0; at = graph.nodes[at].parent) names.unshift(at);
  return names;
}

function describe(index) {
  const node = graph.nodes[index];
  const amount = (value) => (graph.isTimed ? duration(value) : `${value} samples`);
  const share = ((node.total * 100) / graph.nodes[0].total).toFixed(1);
  return `${node.frame.name}${node.frame.detail ? ` · ${node.frame.detail}` : ''}: ${amount(node.total)} (${share} %), itself ${amount(node.own)}`;
}

function draw() {
  const width = Math.max(300, place.clientWidth);
  const boxes = [];
  const above = path(zoomed);
  const stack = [0, ...above].filter((node) => node !== zoomed).map((node, depth) => ({ node, depth, x: 0, width }));
  boxes.push(...stack);
  const pending = [{ node: zoomed, depth: stack.length, x: 0, width }];
  while (pending.length) {
    const box = pending.pop();
    boxes.push(box);
    const { children, total } = graph.nodes[box.node];
    let x = box.x;
    for (const child of children) {
      const part = (box.width * graph.nodes[child].total) / total;
      if (part >= 0.4) pending.push({ node: child, depth: box.depth + 1, x, width: part });
      x += part;
    }
  }
  const rows = Math.max(...boxes.map((box) => box.depth)) + 1;
  const svg = make('svg', { class: 'flame', viewBox: `0 0 ${width} ${rows * rowHeight}`, role: 'img', 'aria-label': 'flame graph' });
  for (const box of boxes) {
    const { frame } = graph.nodes[box.node];
    const isFound = word && frame.name.toLowerCase().includes(word);
    const group = make('g', { 'data-node': box.node, class: `${word && !isFound ? 'dim' : ''}${box.node === chosen ? ' chosen' : ''}` });
    const y = box.depth * rowHeight;
    group.append(
      make('title', {}, describe(box.node)),
      make('rect', { class: `k-${frame.kind} h${shade(frame.name)}`, x: box.x, y, width: box.width, height: rowHeight - 1, rx: 1 }),
    );
    const room = Math.floor((box.width - 6) / 6.7);
    if (room >= 3) {
      const text = frame.name.length <= room ? frame.name : `${frame.name.slice(0, room - 1)}…`;
      group.append(make('text', { x: box.x + 3, y: y + 12.5 }, text));
    }
    svg.append(group);
  }
  place.replaceChildren(svg);
}

function choose(index) {
  if (index === undefined) return;
  chosen = index;
  told.textContent = describe(index);
  draw();
}

function zoom(index) {
  zoomed = index;
  choose(index);
}

function search() {
  word = document.getElementById('find').value.trim().toLowerCase();
  const hits = word ? graph.nodes.filter((node) => node.frame.name.toLowerCase().includes(word)) : [];
  found.textContent = word ? `${hits.length} found` : '';
  draw();
}

async function copy() {
  const text = path(chosen).map((index) => graph.nodes[index].frame.name).join('\n');
  try {
    await navigator.clipboard.writeText(text);
    told.textContent = 'copied';
  } catch {
    told.textContent = 'the browser does not allow copying here';
  }
}

function onKey(event) {
  const node = graph.nodes[chosen];
  const siblings = node.parent >= 0 ? graph.nodes[node.parent].children : [0];
  const at = siblings.indexOf(chosen);
  const actions = {
    ArrowDown: () => choose(node.children[0]),
    ArrowUp: () => choose(node.parent >= 0 ? node.parent : undefined),
    ArrowLeft: () => choose(siblings[at - 1]),
    ArrowRight: () => choose(siblings[at + 1]),
    Enter: () => zoom(chosen),
    Escape: () => zoom(0),
  };
  if (!actions[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  actions[event.key]();
}

if (place) {
  const answer = await fetch(place.dataset.source);
  if (answer.ok) {
    graph = read(await answer.json());
    place.addEventListener('click', (event) => {
      const box = event.target.closest('g[data-node]');
      if (box) zoom(Number(box.dataset.node));
    });
    place.addEventListener('keydown', onKey);
    document.getElementById('find').addEventListener('input', search);
    document.getElementById('reset').addEventListener('click', () => zoom(0));
    document.getElementById('copy').addEventListener('click', copy);
    addEventListener('resize', draw);
    document.getElementById('tools').hidden = false;
    draw();
  }
}
