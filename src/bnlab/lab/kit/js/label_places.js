// Where the words of a plot stand, so that none covers another. Numbers alone, no drawing here.
//
// A box is {x, y, width, height}, y being its middle.

const GOOD = 7;  // heights: a place is not too bad

export function covers(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width
    && Math.abs(a.y - b.y) < (a.height + b.height) / 2;
}

/** How far a point is from a box. */
function distance({ x, y, width, height }, [left, up]) {
  return Math.hypot(Math.max(0, x - left, left - x - width), Math.max(0, Math.abs(up - y) - height / 2));
}

/** The point of a box that is nearest to a point. */
const nearest = ({ x, y, width, height }, [left, up]) =>
  [Math.min(x + width, Math.max(x, left)), Math.min(y + height / 2, Math.max(y - height / 2, up))];

/** Whether a straight line from one point to another runs through a box. */
function crosses([x0, y0], [x1, y1], { x, y, width, height }) {
  let from = 0, to = 1;
  const sides = [[x1 - x0, x - x0, x + width - x0], [y1 - y0, y - height / 2 - y0, y + height / 2 - y0]];
  for (const [way, low, high] of sides) {
    if (way === 0) {
      if (low >= 0 || high <= 0) return false;
      continue;
    }
    const [enter, leave] = way > 0 ? [low / way, high / way] : [high / way, low / way];
    from = Math.max(from, enter);
    to = Math.min(to, leave);
  }
  return from < to;
}

/**
 * Moves boxes up or down as little as possible (least squares) until none covers another, in the
 * order of their middles.
 */
export function stack(boxes, top, bottom) {
  const clusters = [];
  for (const box of [...boxes].sort((a, b) => a.y - b.y)) {
    clusters.push({ boxes: [box], sum: box.y });
    for (let last; (last = clusters.at(-1)) && clusters.length > 1 && begin(last) < end(clusters.at(-2)); ) {
      clusters.pop();
      const { boxes: more, sum } = last, before = clusters.at(-1);
      before.boxes.push(...more);
      before.sum += sum;
    }
  }
  for (const cluster of clusters) {
    let edge = begin(cluster);
    for (const box of cluster.boxes) {
      box.y = edge + box.height / 2;
      edge += box.height;
    }
  }

  function size({ boxes: inside }) { return inside.reduce((sum, box) => sum + box.height, 0); }
  function begin(cluster) {
    const start = cluster.sum / cluster.boxes.length - size(cluster) / 2;
    return Math.max(top, Math.min(bottom - size(cluster), start));
  }
  function end(cluster) { return begin(cluster) + size(cluster); }
}

/**
 * The places of the words at the ends of curves.
 *
 * A label is {end: [x, y], widths: [width, ...], height, gap} and stands right of the end of its
 * curve; one that is `wide`, a sentence, stands on any side of it, and may have several widths: it
 * has shorter forms. One that is `weak` is left out first. All stay in `area` {left, right, top,
 * bottom} and clear of the boxes `taken`; wide ones also of `trails`, boxes along the curves, if
 * there is room. Gives for each a box, or null where there is no room at all; its `form` is the
 * number of its width, and `leader` [from, to], a line to the end of its curve, where it is not
 * plain whose it is.
 */
export function placeLabels(labels, area, taken = [], trails = []) {
  const placed = [...taken], lines = [], found = new Map();
  const boxes = labels.map((label, i) => ({ ...label, i, y: label.end[1], width: label.widths[0], form: 0 }));
  const narrow = boxes.filter(({ wide }) => !wide), left = boxes.filter(({ wide }) => wide);
  align(narrow, area);
  for (const column of columnsOf(narrow)) {
    const [top, bottom] = free(column, area, taken);
    left.push(...tooMany(column, bottom - top));
    stack(column, top, bottom);
    for (const box of column) put(box);
  }
  const ends = labels.map(({ end: [x, y], height }) =>
    ({ x: x - 0.3 * height, y, width: 0.6 * height, height: 0.6 * height }));
  for (const box of left.sort((a, b) => Boolean(a.weak) - Boolean(b.weak))) {
    const place = shortest(box, area, { placed, lines, trails: [...ends, ...(box.wide ? trails : [])] });
    if (place) put(place);
  }
  const missing = labels.some(({ weak }, i) => !weak && !found.has(i)), strong = labels.filter(({ weak }) => !weak);
  if (missing && strong.length < labels.length) {
    const places = placeLabels(strong, area, taken, trails);
    return labels.map((label) => (label.weak ? null : places[strong.indexOf(label)]));
  }
  return labels.map((_, i) => found.get(i) ?? null);

  function put({ i, x, y, width, height, form }) {
    const box = { x, y, width, height, form }, line = leaderOf(box, i, labels);
    placed.push(box);
    if (line) lines.push(line);
    found.set(i, { ...box, leader: line });
  }
}

/** Names of curves that end nearly above each other begin at one place. */
function align(boxes, { left, right }) {
  const sorted = [...boxes].sort((a, b) => a.end[0] - b.end[0]);
  for (let first = 0, next; first < sorted.length; first = next) {
    const { end: [from], gap } = sorted[first];
    next = first;
    while (next < sorted.length && sorted[next].end[0] < from + 2 * gap) next++;
    const group = sorted.slice(first, next), start = group.at(-1).end[0] + gap;
    for (const box of group) box.x = Math.max(left, Math.min(start, right - box.width));
  }
}

/** Lists of boxes, of which some lie above each other. */
function columnsOf(boxes) {
  const lists = [];
  let edge = -Infinity;
  for (const box of [...boxes].sort((a, b) => a.x - b.x)) {
    if (box.x >= edge) lists.push([]);
    lists.at(-1).push(box);
    edge = Math.max(edge, box.x + box.width);
  }
  return lists;
}

/** From where to where a column may reach, between other words at the top and at the foot. */
function free(column, { top, bottom }, taken) {
  const left = Math.min(...column.map(({ x }) => x)), right = Math.max(...column.map(({ x, width }) => x + width));
  const middle = (top + bottom) / 2;
  for (const { x, y, width, height } of taken) {
    if (x >= right || x + width <= left) continue;
    if (y < middle) top = Math.max(top, y + height / 2);
    else bottom = Math.min(bottom, y - height / 2);
  }
  return [top, bottom];
}

/** Takes boxes out of a column until the others fit: the weak ones first, then the last. */
function tooMany(column, room) {
  const out = [], height = () => column.reduce((sum, box) => sum + box.height, 0);
  while (column.length && height() > room) {
    const worst = [...column].sort((a, b) => Boolean(b.weak) - Boolean(a.weak) || b.i - a.i)[0];
    out.push(...column.splice(column.indexOf(worst), 1));
  }
  return out;
}

/** The best place for the longest form that has a good one, else the best of all; null if there is none. */
function shortest(box, area, others) {
  const found = box.widths.map((width, form) => somewhere({ ...box, width, form }, area, others)).filter(Boolean);
  return found.find(({ cost }) => cost < GOOD * box.height) ?? found.sort((a, b) => a.cost - b.cost)[0] ?? null;
}

/** The best place that is free near the end of a curve; null if there is none in the whole area. */
function somewhere(box, area, others) {
  const { end: [x, y], width, height, gap } = box;
  const lowest = area.bottom - height / 2, highest = area.top + height / 2;
  if (highest > lowest || area.left + width > area.right) return null;
  const within = (value, low, high) => Math.max(low, Math.min(high, value));
  const starts = [x + gap, x - gap - width, x - width / 2];
  for (let start = area.left; start < area.right - width; start += 2 * height) starts.push(start);
  let best = null, least = Infinity;
  for (let offset = 0; offset <= area.bottom - area.top; offset += height / 3) {
    if (offset > least) break;  // none that is farther away can be better
    for (const start of starts) {
      for (const up of [y - offset, y + offset]) {
        const place = { ...box, x: within(start, area.left, area.right - width), y: within(up, highest, lowest) };
        if (others.placed.some((other) => covers(place, other))) continue;
        const cost = burden(place, others);
        if (cost < least) [best, least] = [{ ...place, cost }, cost];
      }
    }
  }
  return best;
}

/** How bad a place is: far from its curve, over curves, with a line through other words. */
function burden(place, { placed, lines, trails }) {
  const { end, height } = place, far = distance(place, end), spot = nearest(place, end);
  const over = trails.filter((trail) => covers(place, trail)).length;
  const through = far > 0.8 * height
    && (placed.some((other) => crosses(spot, end, other)) || lines.some(([from, to]) => crosses(from, to, place)));
  return far + (over ? 2 * height + 0.1 * over * height : 0) + (through ? 8 * height : 0);
}

/** A line from a label to the end of its curve, if it has moved away or is nearer to another end. */
function leaderOf(box, i, labels) {
  const { end, gap, height } = labels[i], own = distance(box, end);
  const moved = own > 1.5 * gap + 0.5 * height;
  const mistaken = labels.some((other, k) => k !== i && distance(box, other.end) < own - 1);
  return moved || mistaken ? [nearest(box, end), end] : null;
}

/**
 * The boxes of words beside upright lines: {x, width} of each; in rows from `first` on, `row` apart,
 * so that none covers another, and left of its line where the plot ends.
 */
export function placeEvents(events, { right, first, row, gap }) {
  const placed = [];
  for (const { x, width } of events) {
    const start = x + gap + width <= right ? x + gap : Math.max(0, x - gap - width);
    const box = { x: start, y: first, width, height: Math.abs(row) };
    while (placed.some((other) => covers(box, other))) box.y += row;
    placed.push(box);
  }
  return placed;
}
