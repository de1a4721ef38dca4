// The network between a client and the server: every piece takes half of the latency in each direction, and an answer can be lost.
import net from "node:net";

/** Listens on a port of its own and passes everything on to `target`. */
export async function between(target, { latency = 0 } = {}) {
  const { hostname, port } = new URL(target);
  const control = { loseNext: null, lost: 0 };
  const server = net.createServer((client) => {
    const upstream = net.connect({ host: hostname, port: Number(port) });
    let asked = "";
    const later = (action) => setTimeout(action, latency / 2);
    client.on("data", (piece) => {
      asked = piece.toString("latin1").split("\r\n", 1)[0];
      later(() => upstream.write(piece));
    });
    upstream.on("data", (piece) => {
      // The server has done what it was asked for; its answer does not arrive.
      if (control.loseNext && asked.includes(control.loseNext)) {
        control.loseNext = null;
        control.lost += 1;
        client.destroy();
        upstream.destroy();
        return;
      }
      later(() => client.writable && client.write(piece));
    });
    client.on("end", () => later(() => upstream.end()));
    upstream.on("end", () => later(() => client.end()));
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { base: `http://127.0.0.1:${server.address().port}`, control, close: () => server.close() };
}
