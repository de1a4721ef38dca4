// Starts the app. A file of its own, not an inline script, so that the page's content security policy needs no exception for it.
// Where the two parts lie (their names carry hashes) is read from the page's preload links, which trunk wrote.

const glue = document.querySelector('link[rel="modulepreload"]').href;
const wasm = document.querySelector('link[rel="preload"][as="fetch"]').href;

try {
  const { default: start } = await import(glue);
  await start({ module_or_path: wasm });
} catch (error) {
  const line = document.createElement("p");
  line.setAttribute("role", "alert");
  line.textContent = "Coffer's web app could not start. Check the connection and load the page again.";
  document.body.append(line);
  throw error; // for the console
}
