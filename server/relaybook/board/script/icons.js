// The icons, drawn: they look the same on every system and take the colour of their text.

const PATHS = {
  check: ["M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z", "M5.2 8.2l2 2l3.6-4.2"],
  cross: ["M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z", "M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4"],
  slash: ["M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z", "M4 12L12 4"],
  question: [
    "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z",
    "M6.2 6.4a1.9 1.9 0 1 1 2.6 1.8c-.5.2-.8.5-.8 1.1M8 11.3v.1",
  ],
  clock: ["M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z", "M8 4.8V8l2.2 1.4"],
  skip: ["M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z", "M5.5 5.6L8.2 8l-2.7 2.4zM10.3 5.6v4.8"],
  eye: ["M1.5 8S4 3.8 8 3.8S14.5 8 14.5 8S12 12.2 8 12.2S1.5 8 1.5 8z", "M8 6.3a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 0 0 0-3.4z"],
  bell: ["M4 11V7a4 4 0 0 1 8 0v4l1.2 1.2H2.8z", "M6.6 14h2.8"],
  sun: ["M8 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6z", "M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8L13 13M13 3l-1.2 1.2M4.2 11.8L3 13"],
  moon: ["M13.4 9.8A5.8 5.8 0 1 1 6.2 2.6a4.6 4.6 0 0 0 7.2 7.2z"],
  auto: ["M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z", "M8 1.5v13M8 4.5l4.6 4.6M8 1.5l6.2 6.2M8 8l3.4 3.4"],
  expand: ["M6.2 2.2h-4v4M9.8 13.8h4v-4M2.4 2.4l4 4M13.6 13.6l-4-4"],
  leave: ["M6.5 2.5h-4v11h4M10 5l3 3l-3 3M13 8H6"],
  back: ["M9.8 3.5L5.3 8l4.5 4.5"],
};

/** `dashed` and `half` are no mere paths: a ring of dashes, and a ring half filled. */
function icon(name) {
  const props = { class: `icon icon-${name}`, viewBox: "0 0 16 16", "aria-hidden": "true" };
  if (name === "dashed") return s("svg", props, ring({ "stroke-dasharray": "2.6 2.5" }));
  if (name === "half") {
    return s("svg", props, ring({}), s("path", { class: "icon-fill", d: "M8 4a4 4 0 0 1 0 8z" }));
  }
  return s("svg", props, PATHS[name].map((d) => s("path", { d })));
}

const ring = (props) => s("circle", { cx: 8, cy: 8, r: 6.5, ...props });
