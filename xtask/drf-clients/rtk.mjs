// What a front end with RTK Query does, with the wrapper around its base query that the library's own documentation has for trading a refresh
// token: `node rtk.mjs http://127.0.0.1:8000 PASSWORD`. The server has a user `ada`, and the collection `snacks` that `cargo xtask drf-clients` makes.
import assert from 'node:assert/strict';
import { configureStore } from '@reduxjs/toolkit';
import { createApi, fetchBaseQuery } from '@reduxjs/toolkit/query';

const [base, password] = process.argv.slice(2);
const tokens = await (
  await fetch(`${base}/api/token/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'ada', password }),
  })
).json();

let trades = 0;
const baseQuery = fetchBaseQuery({
  baseUrl: `${base}/api/`,
  prepareHeaders: (headers) => headers.set('Authorization', `Bearer ${tokens.access}`),
});
const withTrade = async (args, api, extra) => {
  const first = await baseQuery(args, api, extra);
  if (first.error?.status !== 401) return first;
  trades += 1;
  const traded = await baseQuery({ url: 'token/refresh/', method: 'POST', body: { refresh: tokens.refresh } }, api, extra);
  if (!traded.data) return first;
  Object.assign(tokens, traded.data);
  return baseQuery(args, api, extra);
};
const api = createApi({
  baseQuery: withTrade,
  endpoints: (build) => ({
    list: build.query({ query: (params) => ({ url: 'records/snacks/', params }) }),
    follow: build.query({ query: (url) => url }),
    add: build.mutation({ query: (body) => ({ url: 'records/snacks/', method: 'POST', body }) }),
    change: build.mutation({ query: ({ id, ...body }) => ({ url: `records/snacks/${id}/`, method: 'PATCH', body }) }),
    replace: build.mutation({ query: (body) => ({ url: `records/snacks/${body.id}/`, method: 'PUT', body }) }),
    remove: build.mutation({ query: (id) => ({ url: `records/snacks/${id}/`, method: 'DELETE' }) }),
  }),
});
const store = configureStore({
  reducer: { [api.reducerPath]: api.reducer },
  middleware: (defaults) => defaults().concat(api.middleware),
});
const ask = (name, argument) => store.dispatch(api.endpoints[name].initiate(argument));
const data = (answer) => {
  assert.ifError(answer.error && new Error(JSON.stringify(answer.error)));
  return answer.data;
};

let chips;
const steps = {
  'five requests at once with a token that is over': async () => {
    tokens.access = 'a.b.c';
    const answers = await Promise.all([1, 2, 3, 4, 5].map((size) => ask('list', { page_size: size })));
    answers.forEach(data);
    assert.ok(trades > 0);
  },
  'adding': async () => {
    chips = data(await ask('add', { title: 'Chips', price: 2, cost: 1.5 }));
    data(await ask('add', { title: 'Nuts', tags: ['a'] }));
    assert.equal(chips.cost, '1.50');
  },
  'a form': async () => {
    const form = new FormData();
    form.append('title', 'Form');
    form.append('price', '5');
    assert.equal(data(await ask('add', form)).price, 5);
  },
  'a list, and its next page': async () => {
    const first = data(await ask('list', { page_size: 2, ordering: 'title' }));
    assert.deepEqual(first.results.map((row) => row.title), ['Chips', 'Form']);
    assert.deepEqual(data(await ask('follow', first.next)).results.map((row) => row.title), ['Nuts']);
  },
  'parameters that are undefined, null or an odd size': async () => {
    assert.equal(data(await ask('list', { title: undefined, fresh: null })).count, 3);
    assert.equal(data(await ask('list', { page_size: NaN, page: 1 })).count, 3);
  },
  'changing some of it keeps the rest': async () => {
    assert.equal(data(await ask('change', { id: chips.id, price: 3 })).cost, '1.50');
    assert.equal(data(await ask('replace', { id: chips.id, title: 'Crisps' })).price, 3);
  },
  'faults, and pages that are not there': async () => {
    const refused = (await ask('add', { price: 'x' })).error;
    assert.deepEqual([refused.status, Object.keys(refused.data).sort()], [400, ['price', 'title']]);
    assert.equal((await ask('list', { page: 50 })).error.data.detail, 'Invalid page.');
  },
  'deleting': async () => {
    for (const row of data(await ask('list', {})).results) data(await ask('remove', row.id));
    assert.equal((await ask('remove', chips.id)).error.status, 404);
  },
};

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}: ${error.message}`);
  }
}
const all = Object.keys(steps).length;
console.log(`RTK Query: ${all - failed} of ${all} steps`);
process.exit(failed === 0 ? 0 : 1);
