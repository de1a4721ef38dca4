// How long a first visit waits, in a headless Chromium on slow networks. `cargo xtask first-load` runs it:
//   node first-load.mjs CHROMEDRIVER CHROMIUM ADDRESS NAME PASSWORD
// For each network the median of several visits, each with an empty cache: until something is painted, until the sign-in form takes a name, and,
// signed in, until the first row of a table is there. Then what was fetched, in bytes as they were sent.
import { spawn } from "node:child_process";

const [driver, chromium, address, name, password] = process.argv.slice(2);
const TABLE = "/c/snacks";
const ROW = "table.records td";
const FORM = "input[name=password]";
// Milliseconds there and back, kbit/s, how many times slower the processor is, visits.
const NETWORKS = [
  ["1.6 Mbit/s, 150 ms", 150, 1600, 1, 5],
  ["the same, CPU / 4", 150, 1600, 4, 3],
  ["Fast 3G", 562.5, 1440, 1, 3],
  ["Slow 3G", 2000, 400, 1, 1],
];
// Notes when each thing was seen first. Runs before anything of the page does.
const WATCH = `{
  const seen = (window.seen = {});
  const look = () => {
    if (!seen.form && document.querySelector(${JSON.stringify(FORM)})) seen.form = performance.now();
    if (!seen.row && document.querySelector(${JSON.stringify(ROW)})) seen.row = performance.now();
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
}`;

const child = spawn(driver, ["--port=0"], { stdio: ["ignore", "pipe", "inherit"] });
try {
  const port = await new Promise((resolve, reject) => {
    child.stdout.on("data", (text) => {
      const found = /started successfully on port (\d+)/.exec(text);
      if (found) resolve(found[1]);
    });
    child.on("exit", () => reject(new Error("chromedriver ended")));
  });
  await measure(port);
} finally {
  child.kill();
}

async function measure(port) {
  const post = async (path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: JSON.stringify(body) });
    const { value } = await answer.json();
    if (value?.error) throw new Error(`${path}: ${value.message}`);
    return value;
  };
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"];
  const capabilities = { alwaysMatch: { browserName: "chrome", "goog:chromeOptions": { binary: chromium, args } } };
  const session = `/session/${(await post("/session", { capabilities })).sessionId}`;
  const devtools = (cmd, params) => post(`${session}/goog/cdp/execute`, { cmd, params });
  const run = (script) => post(`${session}/execute/sync`, { script, args: [] });
  const until = async (script) => {
    for (const end = Date.now() + 120_000; ; ) {
      const value = await run(script).catch(() => null);
      if (value) return value;
      if (Date.now() > end) throw new Error(`in vain: ${script}\n${await run("return document.body.innerText")}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const go = (url) => post(`${session}/url`, { url });
  const network = (latency, kbits, cpu) =>
    Promise.all([
      devtools("Network.emulateNetworkConditions", {
        offline: false,
        latency,
        downloadThroughput: (kbits * 1000) / 8,
        uploadThroughput: (kbits * 1000) / 8,
      }),
      devtools("Emulation.setCPUThrottlingRate", { rate: cpu }),
    ]);
  const unlimited = () => network(0, -8 / 1000, 1);
  // One visit: when the thing was there, and when the first content was painted.
  const visit = async (path, what) => {
    await devtools("Network.clearBrowserCache", {});
    await go("about:blank");
    await go(address + path);
    const at = await until(`return window.seen.${what}`);
    const paint = await until("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime");
    return { at, paint };
  };
  const median = (values) => Math.round(values.sort((a, b) => a - b)[Math.floor(values.length / 2)]);
  const visits = async (path, what, count) => {
    const found = [];
    for (let i = 0; i < count; i++) found.push(await visit(path, what));
    return [median(found.map(({ paint }) => paint)), median(found.map(({ at }) => at))];
  };

  await devtools("Network.enable", {});
  await devtools("Page.addScriptToEvaluateOnNewDocument", { source: WATCH });
  console.log("network              content, signed out   sign-in   content, signed in   first row   (ms)");
  for (const [label, latency, kbits, cpu, count] of NETWORKS) {
    await unlimited();
    await devtools("Network.clearBrowserCookies", {});
    await go(`${address}/sign-in`);
    await run("localStorage.clear()");
    await network(latency, kbits, cpu);
    const [formPaint, form] = await visits(TABLE, "form", count);
    await unlimited();
    await go(address + TABLE);
    await until(`return document.querySelector(${JSON.stringify(FORM)}) && true`);
    const element = async (css) => Object.values(await post(`${session}/element`, { using: "css selector", value: css }))[0];
    const type = async (css, text) => post(`${session}/element/${await element(css)}/value`, { text });
    await type("input[name=username]", name);
    await type(FORM, `${password}\uE007`);
    await until("return window.seen.row");
    await network(latency, kbits, cpu);
    const [rowPaint, row] = await visits(TABLE, "row", count);
    console.log([label.padEnd(18), formPaint, form, rowPaint, row].map((cell) => String(cell).padStart(13)).join(""));
  }
  await unlimited();
  await visit(TABLE, "row");
  await new Promise((resolve) => setTimeout(resolve, 3000)); // until the later parts are here
  const files = await run(
    "return performance.getEntries().filter(({encodedBodySize}) => encodedBodySize).map(({name, encodedBodySize}) => [new URL(name).pathname, encodedBodySize])",
  );
  for (const [path, bytes] of files) console.log(`${String(bytes).padStart(9)}  ${path}`);
  await fetch(`http://127.0.0.1:${port}${session}`, { method: "DELETE" });
}
