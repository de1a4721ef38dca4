// The interceptor of most tutorials: a 401 trades the refresh token and sends the request again, and a refusal to trade signs the user
// out. A page sends three requests at once, so that three of them trade the same token.
import axios from "axios";
import { between } from "../network.mjs";

/** `adopts` says whether the page stores the new refresh token, as half of them do. */
export const interceptor = (adopts) => async ({ base, credentials, expiry, expiries }) => {
  const network = await between(base, { latency: 40 });
  const storage = new Map();
  const signOut = () => storage.clear();
  const api = axios.create({ baseURL: network.base });
  api.interceptors.request.use((config) => {
    config.headers.Authorization = `Bearer ${storage.get("access_token")}`;
    return config;
  });
  api.interceptors.response.use(
    (response) => response,
    async (error) => {
      const original = error.config;
      if (error.response?.status !== 401 || original._retry) return Promise.reject(error);
      original._retry = true;
      try {
        const { data } = await axios.post(`${network.base}/api/token/refresh/`, { refresh: storage.get("refresh_token") });
        storage.set("access_token", data.access);
        if (adopts) storage.set("refresh_token", data.refresh);
        return api(original);
      } catch (refused) {
        signOut();
        return Promise.reject(refused);
      }
    },
  );
  const { data } = await axios.post(`${network.base}/api/token/`, credentials);
  storage.set("access_token", data.access);
  storage.set("refresh_token", data.refresh);
  for (let number = 0; number < expiries; number += 1) {
    await expiry();
    const pages = await Promise.all(["/api/users/me/", "/api/sessions/", "/api/collections/"].map((path) => api.get(path)));
    if (pages.some((page) => page.status !== 200)) throw new Error(`expiry ${number}: not all pages came`);
  }
  network.close();
};
