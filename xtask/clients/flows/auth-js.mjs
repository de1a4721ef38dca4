// Auth.js with the rotation of its guide: the jwt callback trades the refresh token once the access token is over. Two components of a page
// ask for the session at once, with one cookie, so that the callback runs twice for one token; the cookie of the later answer stays.
import { Auth } from "@auth/core";
import Credentials from "@auth/core/providers/credentials";
import { between } from "../network.mjs";

const ORIGIN = "http://localhost";

const expiresAt = (access) => JSON.parse(Buffer.from(access.split(".")[1], "base64url")).exp;

export const authJs = async ({ base, credentials, expiry, expiries }) => {
  const network = await between(base, { latency: 40 });
  const post = (path, body) =>
    fetch(`${network.base}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  const config = {
    secret: "a secret of this test's own, for its cookies",
    trustHost: true,
    basePath: "/auth",
    session: { strategy: "jwt" },
    logger: { error: () => {}, warn: () => {}, debug: () => {} },
    providers: [
      Credentials({
        credentials: { username: {}, password: {} },
        authorize: async ({ username, password }) => {
          const answer = await post("/api/token/", { username, password });
          return answer.ok ? { id: username, tokens: await answer.json() } : null;
        },
      }),
    ],
    callbacks: {
      jwt: async ({ token, user }) => {
        if (user) {
          const { access, refresh } = user.tokens;
          return { ...token, access_token: access, refresh_token: refresh, expires_at: expiresAt(access) };
        }
        if (Date.now() < token.expires_at * 1000) return token;
        const answer = await post("/api/token/refresh/", { refresh: token.refresh_token });
        const fresh = await answer.json();
        if (!answer.ok) return { ...token, error: "RefreshTokenError" };
        return {
          ...token,
          access_token: fresh.access,
          expires_at: expiresAt(fresh.access),
          refresh_token: fresh.refresh ?? token.refresh_token,
        };
      },
      session: ({ session, token }) => ({ ...session, access: token.access_token, error: token.error }),
    },
  };

  const jar = new Map();
  const ask = async (path, body) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { cookie };
    if (body) headers["content-type"] = "application/x-www-form-urlencoded";
    const method = body ? "POST" : "GET";
    const answer = await Auth(new Request(`${ORIGIN}/auth${path}`, { method, headers, body }), config);
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(";", 1)[0].split(/=(.*)/s);
      jar.set(name, value);
    }
    return answer;
  };
  const { csrfToken } = await (await ask("/csrf")).json();
  await ask("/callback/credentials", new URLSearchParams({ csrfToken, ...credentials }));
  for (let number = 0; number < expiries; number += 1) {
    await expiry();
    const components = await Promise.all([ask("/session"), ask("/session")]);
    for (const component of components) {
      const session = await component.json();
      if (session?.error || !session?.access) throw new Error(`expiry ${number}: ${session?.error ?? "no session"}`);
      const answer = await fetch(`${network.base}/api/users/me/`, { headers: { Authorization: `Bearer ${session.access}` } });
      if (answer.status !== 200) throw new Error(`expiry ${number}: ${answer.status}`);
    }
  }
  network.close();
};
