// axios-auth-refresh in two tabs of one browser, which know nothing of each other. (A tab has one request at a time here: the library lets a
// second one that fails while it trades fail, whatever the server does.)
import axios from "axios";
import { createAuthRefresh } from "axios-auth-refresh";
import { between } from "../network.mjs";

export const twoTabs = async ({ base, credentials, expiry, expiries }) => {
  const network = await between(base, { latency: 40 });
  const localStorage = new Map();
  const tab = () => {
    const api = axios.create({ baseURL: network.base });
    api.interceptors.request.use((config) => {
      config.headers.Authorization = `Bearer ${localStorage.get("access")}`;
      return config;
    });
    createAuthRefresh(api, async (failed) => {
      const { data } = await axios.post(`${network.base}/api/token/refresh/`, { refresh: localStorage.get("refresh") });
      localStorage.set("access", data.access);
      localStorage.set("refresh", data.refresh);
      failed.response.config.headers.Authorization = `Bearer ${data.access}`;
    });
    return api;
  };
  const { data } = await axios.post(`${network.base}/api/token/`, credentials);
  localStorage.set("access", data.access);
  localStorage.set("refresh", data.refresh);
  const tabs = [tab(), tab()];
  for (let number = 0; number < expiries; number += 1) {
    await expiry();
    for (const path of ["/api/users/me/", "/api/collections/"]) {
      await Promise.all(tabs.map((api) => api.get(path)));
    }
  }
  network.close();
};
