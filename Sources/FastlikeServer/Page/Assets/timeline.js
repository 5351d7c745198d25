// Draws a request's lanes on a canvas, with zoom, pan, tips and a chosen item. What is drawn comes from model.js.
import { bytes, duration } from './page.js';

const overviewHeight = 24;
const rulerHeight = 20;
const titleHeight = 16;
const rowGap = 2;
const laneGap = 7;
const leastSpan = 200;
const ink = '#10151b';

export class Timeline {
  #model; #canvas; #context; #tip; #detail; #range;
  #from = 0; #to = 1;
  #width = 0; #height = 0;
  #overview = null;
  #colors = {};
  #textWidths = new Map();
  #isScheduled = false;
  #pointers = new Map();
  #drag = null;
  #chosen = null;
  #group = null;

  constructor(root, model) {
    this.#model = model;
    root.className = 'timeline';
    root.append(this.#makeTools(), this.#makeCanvas(), this.#makeTip(), this.#makeDetail());
    root.hidden = false;
    this.#context = this.#canvas.getContext('2d');
    this.#readColors();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#readColors();
      this.#overview = null;
      this.#draw();
    });
    new ResizeObserver(() => this.#resize()).observe(root);
    this.#listen();
    this.fit();
  }

  // What is seen

  fit() { this.#show(0, this.#model.extent); }

  /** Makes a part of the time fill the width. */
  #show(from, to) {
    const { extent } = this.#model;
    const length = Math.min(Math.max(to - from, leastSpan), extent);
    this.#from = Math.min(Math.max(0, from), extent - length);
    this.#to = this.#from + length;
    const [first, last] = [this.#from, this.#to].map((at) => instant(at, length / 100));
    this.#range.textContent = `${first} – ${last} (${duration(length)})`;
    this.#draw();
  }

  #zoom(factor, at = (this.#from + this.#to) / 2) {
    const length = Math.max((this.#to - this.#from) / factor, leastSpan);
    const share = (at - this.#from) / (this.#to - this.#from);
    this.#show(at - length * share, at + length * (1 - share));
  }

  #pan(share) {
    const step = (this.#to - this.#from) * share;
    this.#show(this.#from + step, this.#to + step);
  }

  /** Lets the hostcalls of one name stand out; null for all alike. */
  highlight(group) {
    this.#group = group;
    this.#draw();
  }

  #x(instant) { return ((instant - this.#from) / (this.#to - this.#from)) * this.#width; }
  #instant(x) { return this.#from + (x / this.#width) * (this.#to - this.#from); }

  // Elements

  #makeTools() {
    const tools = element('div', 'tools');
    const button = (text, label, action) => {
      const made = element('button', '', text);
      made.type = 'button';
      made.title = label;
      made.setAttribute('aria-label', label);
      made.addEventListener('click', action);
      return made;
    };
    this.#range = element('span', 'span');
    tools.append(
      button('+', 'Zoom in (+)', () => this.#zoom(1.6)), button('−', 'Zoom out (-)', () => this.#zoom(1 / 1.6)),
      button('←', 'Earlier (arrow left)', () => this.#pan(-0.25)),
      button('→', 'Later (arrow right)', () => this.#pan(0.25)),
      button('fit', 'Show all (0, or double-click)', () => this.fit()),
      element('span', 'quiet', 'drag to pan · Ctrl + wheel to zoom, or wheel alone after a click'), this.#range);
    return tools;
  }

  #makeCanvas() {
    const canvas = element('canvas');
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'application');
    canvas.setAttribute(
      'aria-label', 'Timeline. Plus and minus zoom, arrows pan, 0 shows all, brackets go through the hostcalls.');
    this.#canvas = canvas;
    return canvas;
  }

  #makeTip() {
    this.#tip = element('div', 'tip');
    this.#tip.hidden = true;
    return this.#tip;
  }

  #makeDetail() {
    this.#detail = element('div', 'detail quiet', 'Choose something above to see all that is known of it.');
    this.#detail.setAttribute('aria-live', 'polite');
    return this.#detail;
  }

  #readColors() {
    const style = getComputedStyle(document.documentElement);
    const names = [
      'page', 'panel', 'line', 'soft', 'text', 'quiet', 'focus', 'bad', 'queue', 'setup', 'guest', 'host', 'backend',
      'client', 'cache', 'store', 'timer', 'other', 'pending', 'dns', 'connect', 'tls', 'send', 'wait', 'receive',
    ];
    for (const name of names) this.#colors[name] = style.getPropertyValue(`--${name}`).trim();
  }

  #resize() {
    const ratio = devicePixelRatio || 1;
    this.#width = this.#canvas.clientWidth;
    let height = overviewHeight + rulerHeight;
    for (const lane of this.#model.lanes) {
      lane.top = height + titleHeight;
      height += titleHeight + (lane.curve ? lane.height : lane.rows.length * (lane.height + rowGap)) + laneGap;
    }
    this.#height = height;
    this.#overview = null;
    this.#canvas.style.height = `${height}px`;
    this.#canvas.width = Math.round(this.#width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#paint();
  }

  // Drawing

  #draw() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#paint();
    });
  }

  #paint() {
    const context = this.#context;
    if (!this.#width) return;
    context.fillStyle = this.#colors.panel;
    context.fillRect(0, 0, this.#width, this.#height);
    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'middle';
    this.#paintRuler();
    for (const lane of this.#model.lanes) {
      context.fillStyle = this.#colors.quiet;
      context.fillText(lane.title, 6, lane.top - titleHeight / 2);
      if (lane.curve) this.#paintCurve(lane);
      else lane.rows.forEach((row, index) => this.#paintRow(lane, row, lane.top + index * (lane.height + rowGap)));
    }
    this.#paintMarks();
    this.#paintOverview();
  }

  #paintRuler() {
    const context = this.#context;
    const step = niceStep((this.#to - this.#from) / Math.max(2, this.#width / 110));
    for (let at = Math.ceil(this.#from / step) * step; at <= this.#to; at += step) {
      const x = Math.round(this.#x(at)) + 0.5;
      context.fillStyle = this.#colors.line;
      context.fillRect(x, overviewHeight + 4, 1, this.#height);
      context.fillStyle = this.#colors.quiet;
      context.fillText(instant(at, step), x + 4, overviewHeight + rulerHeight / 2 + 2);
    }
  }

  #paintRow(lane, row, top) {
    if (lane.isShared) this.#paintShares(row[0], top, lane.height);
    for (const layer of row) this.#paintLayer(lane, layer, top);
  }

  /** Divides each column of pixels by who had its time, so that nothing is lost where items are thin. */
  #paintShares(items, top, height) {
    const columns = Math.ceil(this.#width);
    const shares = new Map();
    for (let index = firstEndingAfter(items, this.#from); index < items.length; index += 1) {
      const item = items[index];
      if (item.start > this.#to) break;
      if (!shares.has(item.color)) shares.set(item.color, new Float64Array(columns));
      const share = shares.get(item.color);
      const left = Math.max(this.#x(item.start), 0);
      const right = Math.min(this.#x(item.end), columns);
      for (let column = Math.floor(left); column < right; column += 1) {
        share[column] += Math.min(right, column + 1) - Math.max(left, column);
      }
    }
    const owners = [...shares];
    const alone = (column) => owners.find(([, share]) => share[column] > 0.995);
    const context = this.#context;
    for (let column = 0; column < columns;) {
      const owner = alone(column);
      let end = column + 1;
      let bottom = top + height;
      if (owner) while (end < columns && owner[1][end] > 0.995) end += 1;
      for (const [color, share] of owner ? [owner] : owners) {
        const part = owner ? height : Math.min(share[column], 1) * height;
        context.fillStyle = this.#colors[color] ?? this.#colors.other;
        if (part > 0) context.fillRect(column, bottom - part, end - column, part);
        bottom -= part;
      }
      column = end;
    }
  }

  #paintLayer(lane, layer, top) {
    const context = this.#context;
    const { height, thin = 0 } = lane;
    let painted = -Infinity;
    for (let index = firstEndingAfter(layer, this.#from); index < layer.length; index += 1) {
      const item = layer[index];
      if (item.start > this.#to) break;
      const left = Math.max(this.#x(item.start), -1);
      const right = Math.min(this.#x(item.end), this.#width + 1);
      const width = Math.max(right - left, thin);
      // What begins within the half pixel that was painted last adds nothing.
      const standsOut = item === this.#chosen || (this.#group !== null && item.group === this.#group);
      if (thin > 0 && width <= 1 && left - painted < 0.5 && !standsOut) continue;
      painted = left;
      const isDim = this.#group !== null && item.group !== undefined && item.group !== this.#group;
      context.globalAlpha = isDim ? 0.18 : 1;
      if (item.parts?.length) {
        for (const part of item.parts) {
          const from = Math.max(this.#x(part.start), -1);
          const to = Math.min(this.#x(part.end), this.#width + 1);
          context.fillStyle = this.#colors[part.color];
          if (to > from) context.fillRect(from, top, Math.max(to - from, 0.5), height);
        }
        if (width === thin) context.fillRect(left, top, thin, height);
      } else if (!lane.isShared) {
        context.fillStyle = this.#colors[item.color] ?? this.#colors.other;
        context.fillRect(left, top, width, height);
      }
      if (item.failed && width > 3) {
        context.fillStyle = this.#colors.bad;
        context.fillRect(left, top + height - 2, width, 2);
      }
      const next = layer[index + 1];
      const room = lane.besides ? (next ? this.#x(next.start) : this.#width) : 0;
      if (item.label && !isDim) this.#paintLabel(item.label, left, width, top, height, room);
      context.globalAlpha = 1;
      if (item === this.#chosen) {
        context.strokeStyle = this.#colors.text;
        context.lineWidth = 2;
        context.strokeRect(left - 1, top - 1, width + 2, height + 2);
      }
    }
  }

  /** Writes into the item, or beside it up to an end, or as much as fits, or nothing. */
  #paintLabel(label, left, width, top, height, end) {
    const context = this.#context;
    const start = Math.max(left, 0);
    const room = Math.min(left + width, this.#width) - start - 8;
    const needed = this.#textWidth(label);
    if (needed <= room) {
      context.fillStyle = ink;
      context.fillText(label, start + 4, top + height / 2 + 0.5);
    } else if (end > left + width + 5 + needed) {
      context.fillStyle = this.#colors.text;
      context.fillText(label, left + width + 5, top + height / 2 + 0.5);
    } else if (room > 34) {
      const kept = Math.floor((label.length * room) / needed) - 1;
      context.fillStyle = ink;
      if (kept > 2) context.fillText(`${label.slice(0, kept)}…`, start + 4, top + height / 2 + 0.5);
    }
  }

  #textWidth(text) {
    let width = this.#textWidths.get(text);
    if (width === undefined) {
      width = this.#context.measureText(text).width;
      this.#textWidths.set(text, width);
    }
    return width;
  }

  #paintCurve(lane) {
    const context = this.#context;
    const largest = lane.curve.reduce((most, sample) => Math.max(most, sample.memory_bytes), 1);
    const y = (size) => lane.top + lane.height - (size / largest) * (lane.height - 4);
    context.beginPath();
    context.moveTo(this.#x(lane.curve[0].relative_nanos), lane.top + lane.height);
    lane.curve.forEach((sample, index) => {
      const next = lane.curve[index + 1]?.relative_nanos ?? this.#model.wall;
      context.lineTo(this.#x(sample.relative_nanos), y(sample.memory_bytes));
      context.lineTo(this.#x(Math.max(next, sample.relative_nanos)), y(sample.memory_bytes));
    });
    context.lineTo(this.#x(this.#model.wall), lane.top + lane.height);
    context.fillStyle = this.#colors.guest;
    context.globalAlpha = 0.35;
    context.fill();
    context.globalAlpha = 1;
    context.fillStyle = this.#colors.quiet;
    context.fillText(`up to ${bytes(largest)}`, 6 + this.#textWidth(lane.title) + 10, lane.top - titleHeight / 2);
  }

  #paintMarks() {
    const context = this.#context;
    // The title of the first lane stands on the same line.
    let free = 6 + this.#textWidth(this.#model.lanes[0].title) + 10;
    for (const mark of [...this.#model.marks].sort((a, b) => a.at - b.at)) {
      const x = this.#x(mark.at);
      if (x < 0 || x > this.#width) continue;
      context.fillStyle = this.#colors.text;
      for (let y = overviewHeight + rulerHeight; y < this.#height; y += 6) context.fillRect(Math.min(x, this.#width - 1), y, 1, 3);
      const width = this.#textWidth(mark.label);
      const left = Math.max(Math.min(x + 4, this.#width - width - 4), free);
      if (left > x + 60) continue;
      const y = overviewHeight + rulerHeight + titleHeight / 2;
      context.fillStyle = this.#colors.panel;
      context.fillRect(left - 2, y - 7, width + 4, 14);
      context.fillStyle = this.#colors.text;
      context.fillText(mark.label, left, y);
      free = left + width + 6;
    }
  }

  /** The first lane in whole, and which part of it is seen below. */
  #paintOverview() {
    this.#overview ??= this.#makeOverview();
    const context = this.#context;
    const scale = this.#width / this.#model.extent;
    const [left, right] = [this.#from * scale, this.#to * scale];
    context.drawImage(this.#overview, 0, 0, this.#width, overviewHeight);
    context.fillStyle = this.#colors.page;
    context.globalAlpha = 0.72;
    context.fillRect(0, 0, left, overviewHeight);
    context.fillRect(right, 0, this.#width - right, overviewHeight);
    context.globalAlpha = 1;
    context.strokeStyle = this.#colors.focus;
    context.lineWidth = 2;
    context.strokeRect(left + 1, 1, Math.max(right - left - 2, 2), overviewHeight - 2);
  }

  /** The overview's picture, which zooming and panning do not change. */
  #makeOverview() {
    const ratio = devicePixelRatio || 1;
    const picture = document.createElement('canvas');
    picture.width = Math.round(this.#width * ratio);
    picture.height = overviewHeight * ratio;
    const seen = [this.#context, this.#from, this.#to];
    this.#context = picture.getContext('2d');
    this.#context.scale(ratio, ratio);
    [this.#from, this.#to] = [0, this.#model.extent];
    this.#context.fillStyle = this.#colors.soft;
    this.#context.fillRect(0, 0, this.#width, overviewHeight);
    this.#paintShares(this.#model.lanes[0].rows[0][0], 5, overviewHeight - 10);
    [this.#context, this.#from, this.#to] = seen;
    return picture;
  }

  // Finding

  #itemAt(x, y) {
    const lane = this.#model.lanes.find((each) => {
      const height = each.curve ? each.height : each.rows.length * (each.height + rowGap);
      return y >= each.top && y < each.top + height;
    });
    if (!lane) return null;
    if (lane.curve) return this.#memoryAt(lane, this.#instant(x));
    const row = lane.rows[Math.floor((y - lane.top) / (lane.height + rowGap))];
    // Thin items are hard to hit, so a little beside them counts.
    const [from, to] = [this.#instant(x - 2), this.#instant(x + 2)];
    for (const layer of [...row].reverse()) {
      let best = null;
      for (let index = firstEndingAfter(layer, from); index < layer.length && layer[index].start <= to; index += 1) {
        const item = layer[index];
        const isHit = item.start <= this.#instant(x) && this.#instant(x) <= item.end;
        if (isHit) return item;
        best ??= item;
      }
      if (best) return best;
    }
    return null;
  }

  #memoryAt(lane, instant) {
    const sample = lane.curve.findLast((each) => each.relative_nanos <= instant);
    if (!sample) return null;
    return { title: bytes(sample.memory_bytes), facts: [['since', duration(sample.relative_nanos)]] };
  }

  #choose(item) {
    this.#chosen = item;
    this.#detail.replaceChildren();
    this.#detail.classList.toggle('quiet', !item);
    if (!item) {
      this.#detail.textContent = 'Choose something above to see all that is known of it.';
    } else {
      const list = element('dl');
      for (const [name, value] of item.facts) {
        const pair = element('div');
        pair.append(element('dt', '', name), element('dd', '', value));
        list.append(pair);
      }
      this.#detail.append(element('strong', '', item.title ?? item.label), list);
    }
    this.#draw();
  }

  /** Goes to the hostcall before or after the chosen one. */
  #step(by) {
    const { spans } = this.#model;
    if (!spans.length) return;
    const now = spans.indexOf(this.#chosen);
    const next = now < 0 ? firstEndingAfter(spans, this.#from) : now + by;
    const item = spans[Math.min(Math.max(next, 0), spans.length - 1)];
    const length = this.#to - this.#from;
    if (item.end < this.#from || item.start > this.#to) {
      this.#show(item.start - length / 2, item.start + length / 2);
    }
    this.#choose(item);
  }

  // Input

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener('pointerdown', (event) => this.#press(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    canvas.addEventListener('pointerup', (event) => this.#release(event));
    canvas.addEventListener('pointercancel', (event) => this.#forget(event));
    canvas.addEventListener('pointerleave', () => { this.#tip.hidden = true; });
    canvas.addEventListener('dblclick', () => this.fit());
    canvas.addEventListener('keydown', (event) => this.#key(event));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { extent } = this.#model;
    const length = this.#to - this.#from;
    const actions = {
      '+': () => this.#zoom(1.6), '=': () => this.#zoom(1.6), '-': () => this.#zoom(1 / 1.6),
      ArrowLeft: () => this.#pan(-0.15), ArrowRight: () => this.#pan(0.15),
      ArrowUp: () => this.#zoom(1.6), ArrowDown: () => this.#zoom(1 / 1.6),
      Home: () => this.#show(0, length), End: () => this.#show(extent - length, extent),
      0: () => this.fit(), '[': () => this.#step(-1), ']': () => this.#step(1),
      Escape: () => this.#choose(null),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  #wheel(event) {
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const isZoom = event.ctrlKey || event.metaKey || (document.activeElement === this.#canvas && !isSideways);
    if (!isZoom && !isSideways) return;
    event.preventDefault();
    const pixels = event.deltaMode === 1 ? 16 : 1;
    if (isZoom) this.#zoom(Math.exp(-event.deltaY * pixels * 0.002), this.#instant(event.offsetX));
    else this.#pan(((event.deltaX || event.deltaY) * pixels) / this.#width);
  }

  #press(event) {
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, event.offsetX);
    const isOverview = event.offsetY < overviewHeight;
    this.#drag = { x: event.offsetX, from: this.#from, to: this.#to, isOverview, hasMoved: false };
    if (isOverview) this.#centre(event.offsetX);
  }

  #centre(x) {
    const at = (x / this.#width) * this.#model.extent;
    const half = (this.#to - this.#from) / 2;
    this.#show(at - half, at + half);
  }

  #move(event) {
    if (!this.#drag || !this.#pointers.has(event.pointerId)) {
      this.#showTip(event.offsetX, event.offsetY);
      return;
    }
    const before = [...this.#pointers.values()];
    this.#pointers.set(event.pointerId, event.offsetX);
    this.#tip.hidden = true;
    if (this.#pointers.size === 2) {
      const now = [...this.#pointers.values()];
      const stretch = Math.abs(now[0] - now[1]) / Math.max(8, Math.abs(before[0] - before[1]));
      this.#drag.hasMoved = true;
      this.#zoom(Math.max(stretch, 0.01), this.#instant((now[0] + now[1]) / 2));
      this.#drag = { ...this.#drag, x: event.offsetX, from: this.#from, to: this.#to };
      return;
    }
    const distance = event.offsetX - this.#drag.x;
    if (Math.abs(distance) > 3) this.#drag.hasMoved = true;
    if (!this.#drag.hasMoved) return;
    if (this.#drag.isOverview) {
      this.#centre(event.offsetX);
    } else {
      const shift = (distance / this.#width) * (this.#drag.to - this.#drag.from);
      this.#show(this.#drag.from - shift, this.#drag.to - shift);
    }
  }

  #release(event) {
    const isClick = this.#drag && !this.#drag.hasMoved && !this.#drag.isOverview;
    this.#forget(event);
    if (isClick) this.#choose(this.#itemAt(event.offsetX, event.offsetY));
  }

  #forget(event) {
    this.#pointers.delete(event.pointerId);
    if (!this.#pointers.size) this.#drag = null;
  }

  #showTip(x, y) {
    const item = this.#itemAt(x, y);
    this.#tip.hidden = !item;
    if (!item) return;
    const facts = item.facts.slice(0, 4).map(([name, value]) => `${name} ${value}`).join(' · ');
    this.#tip.replaceChildren(element('strong', '', item.title ?? item.label), document.createElement('br'), facts);
    const left = Math.min(x + 12, this.#width - this.#tip.offsetWidth - 4);
    this.#tip.style.left = `${Math.max(4, left)}px`;
    this.#tip.style.top = `${this.#canvas.offsetTop + y + 16}px`;
  }
}

/** The index of the first item that ends at or after an instant. */
function firstEndingAfter(items, instant) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].end < instant) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** An instant with as many digits as tell it from one that is a step away. */
function instant(at, step) {
  if (at === 0) return '0';
  const [unit, name] = at < 1e3 ? [1, 'ns'] : at < 1e6 ? [1e3, 'µs'] : at < 1e10 ? [1e6, 'ms'] : [1e9, 's'];
  return `${(at / unit).toFixed(Math.max(0, Math.ceil(-Math.log10(step / unit))))} ${name}`;
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  const digit = [1, 2, 5, 10].find((each) => each * power >= rough);
  return digit * power;
}

function element(name, className = '', text = '') {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
