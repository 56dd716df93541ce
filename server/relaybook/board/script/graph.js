// A plan as a picture: a node for each task, column by column; of a large plan a node for each layer.

const NODE = { width: 188, height: 46, gapX: 56, gapY: 14 };
/** A layer with more tasks than this is laid out in several columns. */
const ROWS = 12;

function graphPicture(id, { layers, edges, groups, tasks }) {
  if (groups) return layerPicture(id, groups, tasks);
  const { places, width, height } = placed(layers);
  const said = `Graph of ${count(layers.flat().length, "task")} in ${count(layers.length, "layer")}`;
  return h(
    "div",
    { class: "graph", tabindex: "0", role: "region", "aria-label": said },
    s(
      "svg",
      { role: "group", width, height, viewBox: `0 0 ${width} ${height}` },
      s("g", { "aria-hidden": "true" }, edges.map((edge) => edgePath(edge, places))),
      layers.flat().map((node) => nodeShape(id, node, places.get(node.id))),
    ),
  );
}

/** Where the upper left corner of each task lies: layers from left to right, centred. */
function placed(layers) {
  const places = new Map();
  const step = NODE.height + NODE.gapY;
  const tallest = Math.max(...layers.map((layer) => Math.min(layer.length, ROWS)));
  let x = 1;
  for (const layer of layers) {
    const columns = Math.ceil(layer.length / ROWS);
    const rows = Math.ceil(layer.length / columns);
    const top = ((tallest - rows) * step) / 2 + 1;
    layer.forEach((node, index) => {
      const column = Math.floor(index / rows);
      places.set(node.id, { x: x + column * (NODE.width + NODE.gapY), y: top + (index % rows) * step });
    });
    x += columns * (NODE.width + NODE.gapY) - NODE.gapY + NODE.gapX;
  }
  return { places, width: x - NODE.gapX + 1, height: tallest * step - NODE.gapY + 2 };
}

function edgePath({ needs, task_id: task, kind }, places) {
  const [from, to] = [places.get(needs), places.get(task)];
  const [x1, y1] = [from.x + NODE.width, from.y + NODE.height / 2];
  const [x2, y2] = [to.x, to.y + NODE.height / 2];
  const bend = Math.max((x2 - x1) / 2, 20);
  const d = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  return s("path", { class: `edge edge-${kind}`, d, key: `${needs}>${task}` });
}

function nodeShape(id, node, { x, y }) {
  const { word, tone, icon: name } = known(node.status);
  const [first, second] = [cut(node.id, 20), cut(node.label, 23)];
  return s(
    "a",
    {
      key: node.id,
      href: `#${at("workflows", id, "tasks", node.id)}`,
      class: `node tone-${tone}`,
      transform: `translate(${x} ${y})`,
    },
    s("title", null, `${node.id}, ${word}: ${node.label}`),
    s("rect", { width: NODE.width, height: NODE.height, rx: 9 }),
    s("svg", { x: 12, y: 15, width: 16, height: 16 }, icon(name)),
    s("text", { class: "node-id", x: 37, y: 20 }, first),
    s("text", { class: "node-label", x: 37, y: 35 }, second),
  );
}

const layerPicture = (id, groups, tasks) =>
  h(
    "div",
    { class: "layers" },
    h("p", { class: "note" }, `${count(tasks, "task")}, too many to draw each: a row for each layer, first to last. Those that need a look come first.`),
    h("ol", null, groups.map((group) => layerRow(id, group, Math.max(...groups.map((each) => each.tasks))))),
  );

function layerRow(id, { first, layers, tasks, counts, named }, largest) {
  const name = layers === 1 ? `Layer ${first}` : `Layers ${first}–${first + layers - 1}`;
  return h(
    "li",
    { key: `layer-${first}` },
    h(
      "details",
      { class: "layer" },
      h(
        "summary",
        null,
        h("span", { class: "layer-name" }, name),
        h("span", { class: "layer-bar", vars: { "--share": Math.max(tasks / largest, 0.04) } }, progressBar(counts, tasks)),
        h("span", { class: "layer-count" }, count(tasks, "task")),
      ),
      legend(counts),
      h("ul", { class: "plain" }, named.map((task) => taskLine(id, task))),
      tasks > named.length ? h("p", { class: "note" }, `and ${count(tasks - named.length, "more", "more")}`) : null,
    ),
  );
}

const taskLine = (id, { id: task, label, status }) =>
  h("li", { key: task }, link(at("workflows", id, "tasks", task), { class: "task-line" }, stateDot(status), h("b", null, task), h("span", null, label)));
