// Nodes are made from text and attributes, never from markup; a redraw changes only what differs.

const SVG = "http://www.w3.org/2000/svg";

const h = (tag, props, ...children) => build(document.createElement(tag), props, children);
const s = (tag, props, ...children) => build(document.createElementNS(SVG, tag), props, children);

/** `on` holds handlers by event, `vars` CSS properties, `key` what tells siblings apart. */
function build(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name === "on" || name === "key") node[name] = value;
    else if (name === "vars") Object.entries(value).forEach((pair) => node.style.setProperty(...pair));
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  for (const child of children.flat(Infinity)) {
    if (child != null && child !== false) node.append(child);
  }
  return node;
}

/** What the user may have changed by hand stays as it is. */
const KEPT = new Set(["open", "style"]);

/** Make `old` equal to `fresh`, keeping focus, scroll positions and what was typed. */
function patch(old, fresh) {
  if (old.nodeName !== fresh.nodeName || old.key !== fresh.key) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  old.on = fresh.on;
  patchAttributes(old, fresh);
  patchChildren(old, fresh);
}

function patchAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!KEPT.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.style.cssText !== fresh.style.cssText) old.style.cssText = fresh.style.cssText;
}

function patchChildren(old, fresh) {
  const keyed = new Map([...old.childNodes].filter((node) => node.key).map((node) => [node.key, node]));
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const match = child.key ? keyed.get(child.key) : alike(at, child);
    if (!match) {
      old.insertBefore(child, at);
    } else {
      if (match === at) at = at.nextSibling;
      else old.insertBefore(match, at);
      patch(match, child);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const alike = (node, other) => (node && !node.key && node.nodeName === other.nodeName ? node : null);

/** One listener for each event; handlers live on the nodes, so a redraw can exchange them. */
for (const type of ["click", "submit", "input", "change", "keydown"]) {
  document.addEventListener(type, (event) => {
    for (let node = event.target; node; node = node.parentNode) node.on?.[type]?.(event);
  });
}

const announce = (text) => {
  document.getElementById("announcer").textContent = text;
};
