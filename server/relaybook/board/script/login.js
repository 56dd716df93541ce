// The way in over HTTP: a token, which the server keeps in a cookie that no script can read.

const loginView = (trouble) =>
  h(
    "main",
    { class: "login" },
    h(
      "form",
      { class: "card", on: { submit: submitLogin } },
      wordmark(),
      h("label", { for: "token" }, "Access token"),
      h("input", { id: "token", name: "token", type: "password", required: true, autocomplete: "current-password" }),
      h("p", { class: "quiet" }, "Whoever runs this server can give you one."),
      trouble ? h("p", { class: "trouble", role: "alert" }, trouble) : null,
      h("div", { class: "actions" }, h("button", { type: "submit", class: "button button-main" }, "Log in")),
    ),
  );

async function submitLogin(event) {
  event.preventDefault();
  await enter(new FormData(event.target).get("token"));
}

async function enter(token) {
  try {
    await wire.login(token);
  } catch (error) {
    paint(loginView(error.code === "unauthorized" ? "That token is not known, or not for a board." : error.message));
    return;
  }
  state.canLeave = true;
  await show();
}

/** A key for one use that `relaybook board` put behind the address; it leaves the address at once. */
function oneTimeKey() {
  const found = /^#key=([\w-]+)$/.exec(location.hash);
  if (found) history.replaceState(null, "", location.pathname);
  return found?.[1];
}
