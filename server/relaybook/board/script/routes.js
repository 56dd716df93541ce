// Addresses inside the page, such as #/workflows/wf-1/tasks/t2, and the view of each.

const at = (...parts) => `/${parts.map(encodeURIComponent).join("/")}`;

/** Filled by the views: a pattern of segments, with `:name` for what varies, and its view. */
const ROUTES = [];
const route = (pattern, view) => ROUTES.push({ parts: pattern.split("/").slice(1), view });

function match(path) {
  const given = path.split("/").slice(1).map(decoded);
  for (const { parts, view } of ROUTES) {
    const params = {};
    const fits = (part, index) =>
      part.startsWith(":") ? (params[part.slice(1)] = given[index]) : part === given[index];
    if (parts.length === given.length && parts.every(fits)) return { view, params };
  }
  return null;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
