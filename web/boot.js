// Starts the app, and does what need not wait for its WebAssembly: draws the frame or the sign-in form from the templates in the page, trades
// the session's cookie, and asks for what the address shows. A file of its own, not an inline script, so that the page's content security
// policy needs no exception for it. The sign-in form looks and speaks as that of `src/pages/sign_in.rs`; `tests/browser/start.rs` compares them.

// Where the parts lie (their names carry hashes) is read from the page's preload links, which its build wrote.
const glue = document.querySelector('link[rel="modulepreload"]').href;
const wasm = document.querySelector('link[rel="preload"][as="fetch"]').href;
const compiled = WebAssembly.compileStreaming(fetch(wasm));
compiled.catch(() => {}); // told by start()

// As in `src/tabs.rs`: the lock, the channel and the mark of the session that all tabs share.
const SESSION = "coffer-session";
// Answers that the app has not asked for yet, by method and path: `src/early.rs` takes them.
const early = (globalThis.cofferEarly = new Map());
const REFRESH = "POST /api/session/refresh/";
// An answer that nobody took by then would be old news to a page that is opened later.
const EARLY_FOR = 10_000;

async function ask(method, path, { token, body, session } = {}) {
  const headers = { accept: "application/json, application/problem+json" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  if (session) headers["x-coffer"] = "1";
  try {
    const answer = await fetch(`/_coffer${path}`, { method, headers, body: body && JSON.stringify(body) });
    return { status: answer.status, etag: answer.headers.get("etag"), body: new Uint8Array(await answer.arrayBuffer()) };
  } catch {
    return { status: 0 }; // Whether the server heard of it is not known, so that nobody sends it again by himself.
  }
}

const read = (answer) => {
  try {
    return JSON.parse(new TextDecoder().decode(answer.body));
  } catch {
    return undefined;
  }
};

const locked = (work) => (navigator.locks ? navigator.locks.request(SESSION, work) : work());

function mark() {
  try {
    return localStorage.getItem(SESSION);
  } catch {
    return "1";
  }
}

function remember(value = "1") {
  try {
    if (value) localStorage.setItem(SESSION, value);
    else localStorage.removeItem(SESSION);
  } catch {} // a browser that keeps nothing
}

// Asks for what the page at an address begins with.
function askFor(address, { access, user }) {
  const [path, query] = [address.split("?")[0], address.slice(address.split("?")[0].length)];
  const [, name, id] = /^\/c\/([a-z][a-z0-9_]*)(?:\/([0-9a-f-]{36}))?\/?$/.exec(path) ?? [];
  const paths = [];
  const isDashboard = path === "/";
  if (isDashboard || path === "/collections") paths.push("/api/collections/");
  if (isDashboard && user.is_admin) paths.push("/api/metrics/");
  if ((isDashboard || path === "/collections") && !user.is_admin) paths.push("/api/users/me/");
  if (name) paths.push(`/api/collections/${name}/`);
  // As the table asks: where the words of a search stand is told too, and what records are called that are referred to.
  const marks = new URLSearchParams(query).get("search") ? "&highlight=true" : "";
  const more = `${query ? "&" : "?"}named=true`;
  if (name) paths.push(`/api/records/${name}/${id ? `${id}/` : query + marks + more}`);
  for (const path of paths) early.set(`GET ${path}`, ask("GET", path, { token: access }));
}

// Takes a new session: what the app asks for first is there by then.
function took(answer, address) {
  const session = answer.status === 200 ? read(answer) : undefined;
  if (session) askFor(address, session);
  return answer;
}

async function refresh() {
  const asked = locked(async () => {
    early.set("at", Date.now());
    return took(await ask("POST", "/api/session/refresh/", { session: true }), location.pathname + location.search);
  });
  early.set(REFRESH, asked);
  if ((await asked).status === 401 && !["/setup", "/sign-up"].includes(location.pathname)) {
    // The session is over: signing in needs nothing that the app would have to bring.
    early.clear();
    remember("");
    return isOwn ? signIn("lost") : start();
  }
  return start();
}

// Drawing takes them out of the page.
const templates = Object.fromEntries([...document.querySelectorAll("template")].map(({ id, content }) => [id, content]));
const draw = (name) => document.body.replaceChildren(templates[name].cloneNode(true));

async function start() {
  try {
    const { default: run } = await import(glue);
    await run({ module_or_path: await compiled });
    setTimeout(() => early.clear(), EARLY_FOR);
  } catch (error) {
    const line = document.createElement("p");
    line.className = "notice notice-bad";
    line.setAttribute("role", "alert");
    line.textContent = "Coffer's web app could not start. Check the connection and load the page again.";
    document.body.prepend(line);
    throw error; // for the console
  }
}

function signIn(note) {
  const here = location.pathname + location.search;
  if (location.pathname !== "/sign-in") {
    history.replaceState(null, "", here === "/" ? "/sign-in" : `/sign-in?${new URLSearchParams({ next: here })}`);
  }
  draw("sign-in");
  const notes = Object.fromEntries([...document.querySelectorAll("[data-note]")].map((note) => [note.dataset.note, note]));
  Object.values(notes).forEach((note) => note.remove());
  document.title = "Sign in · Coffer";
  const form = document.querySelector("form");
  const [alert, button] = [form.querySelector("[role=alert]"), form.querySelector("[type=submit]")];
  const inputs = [...form.querySelectorAll("input")];
  const label = button.textContent;
  const noted = (name) => {
    const note = notes[name];
    delete note.dataset.note;
    form.before(note);
  };
  if (note) noted(note);
  if (!isSecureContext) noted("plain-http");
  ask("GET", "/api/").then((answer) => {
    if (form.isConnected && read(answer)?.setup_required) {
      noted("set-up");
      document.querySelector(".gate-head").after(notes["set-up"]);
    }
  });

  const say = (input, messages) => {
    document.getElementById(`${input.id}-error`).textContent = messages.join(" ");
    if (messages.length) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  const sayAll = (messages) => {
    const notice = document.createElement("div");
    notice.className = "notice notice-bad";
    for (const message of messages) {
      const line = document.createElement("p");
      line.dir = "auto";
      line.textContent = message;
      notice.append(line);
    }
    alert.replaceChildren(...(messages.length ? [notice] : []));
  };
  const blank = (input) => ((input.name === "password" ? input.value : input.value.trim()) ? [] : ["This field may not be blank."]);
  const focusFirstError = () => form.querySelector("[aria-invalid=true]")?.focus();

  // As `common::form` places what the server said.
  const refuse = (answer) => {
    const problem = read(answer);
    if (!answer.status) {
      return sayAll(["The server could not be reached (no answer came). Check that it runs and that the address is right, then try again."]);
    }
    if (typeof problem?.detail !== "string") {
      return sayAll([`The server's answer (${answer.status}) could not be read. Is this the address of a Coffer server of the same version?`]);
    }
    const errors = Object.entries(problem.errors ?? {});
    const known = (name) => inputs.find((input) => input.name === name);
    const lines = errors.flatMap(([name, errors]) => (known(name) ? [] : errors.map((error) => error.message)));
    for (const input of inputs) say(input, (problem.errors?.[input.name] ?? []).map((error) => error.message));
    sayAll(lines.length || errors.some(([name]) => known(name)) ? lines : [problem.detail]);
  };

  for (const input of inputs) {
    input.addEventListener("input", () => {
      say(input, blank(input));
      sayAll([]);
    });
  }
  const show = form.querySelector("[aria-pressed]");
  show.addEventListener("click", () => {
    const password = inputs.find((input) => input.name === "password");
    const isShown = password.type === "text";
    password.type = isShown ? "password" : "text";
    show.setAttribute("aria-pressed", String(!isShown));
    show.textContent = isShown ? "Show" : "Hide";
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    inputs.forEach((input) => say(input, blank(input)));
    sayAll([]);
    if (form.querySelector("[aria-invalid=true]")) return focusFirstError();
    button.disabled = true;
    button.textContent = "One moment …";
    const [username, password] = inputs.map((input) => input.value);
    const next = new URLSearchParams(location.search).get("next") ?? "/";
    const answer = await locked(async () => {
      early.set("at", Date.now());
      const body = { username: username.trim(), password };
      return took(await ask("POST", "/api/session/", { body, session: true }), next);
    });
    if (answer.status === 200 && read(answer)) {
      remember();
      channel?.postMessage("signed-in");
      channel?.close();
      // The app renews the session when it starts; this answer is what it would be told.
      early.set(REFRESH, Promise.resolve(answer));
      return start();
    }
    button.disabled = false;
    button.textContent = label;
    refuse(answer);
    focusFirstError();
  });
  // Somebody signed in in another tab.
  const channel = globalThis.BroadcastChannel && new BroadcastChannel(SESSION);
  channel?.addEventListener("message", ({ data }) => {
    if (data !== "signed-in" || button.disabled) return;
    channel.close();
    refresh();
  });
  inputs[0].focus();
}

// An address of the API is shown to whoever comes, and so may be one that is none of the app's: something may be published there. A test in
// `src/route.rs` holds this to its pages.
const isOwn = /^\/($|(c|changes|collections|password|server|sessions|setup|sign-in|sign-up|users)(\/|$))/.test(location.pathname);

if (mark() === null && isOwn && !["/setup", "/sign-up"].includes(location.pathname)) {
  signIn();
} else {
  draw("frame");
  // The app tells the server of a sign-out that it has not heard of, before anything else.
  if (mark() === "1") refresh();
  else start();
}
