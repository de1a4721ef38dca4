// The server trades a token, and its answer does not arrive: a tunnel, a closed lid. The client asks again with the token that it has.
import { between } from "../network.mjs";

export const lostAnswer = async ({ base, credentials, expiry, expiries }) => {
  const network = await between(base, { latency: 10 });
  const post = (path, body) =>
    fetch(`${network.base}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Connection: "close" },
      body: JSON.stringify(body),
    });
  let tokens = await (await post("/api/token/", credentials)).json();
  for (let number = 0; number < expiries; number += 1) {
    await expiry();
    network.control.loseNext = "/api/token/refresh/";
    const lost = await post("/api/token/refresh/", { refresh: tokens.refresh }).catch(() => null);
    if (lost) throw new Error("the answer was to be lost");
    const again = await post("/api/token/refresh/", { refresh: tokens.refresh });
    if (again.status !== 200) throw new Error(`expiry ${number}: ${again.status} ${await again.text()}`);
    tokens = await again.json();
    const me = await fetch(`${network.base}/api/users/me/`, { headers: { Authorization: `Bearer ${tokens.access}` } });
    if (me.status !== 200) throw new Error(`expiry ${number}: ${me.status}`);
  }
  if (network.control.lost !== expiries) throw new Error(`${network.control.lost} answers were lost, not ${expiries}`);
  network.close();
};
