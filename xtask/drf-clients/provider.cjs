// What a react-admin front end does, by its data provider for Django REST Framework: `node provider.cjs http://127.0.0.1:8000`.
// The server has a user `ada`, and the collections `makers` and `snacks` that `cargo xtask drf-clients` makes.
'use strict';

const held = new Map();
globalThis.localStorage = {
  getItem: (name) => held.get(name) ?? null,
  setItem: (name, value) => held.set(name, String(value)),
  removeItem: (name) => held.delete(name),
};

const assert = require('node:assert/strict');
const {
  default: dataProvider,
  jwtTokenAuthProvider,
  fetchJsonWithAuthJWTToken,
} = require('ra-data-django-rest-framework');

const base = process.argv[2];
const password = process.argv[3];
const auth = jwtTokenAuthProvider({ obtainAuthTokenUrl: `${base}/api/token/` });
const provider = dataProvider(`${base}/api/records`, fetchJsonWithAuthJWTToken);
const list = (more = {}) => ({
  pagination: { page: 1, perPage: 10 },
  sort: { field: 'id', order: 'ASC' },
  filter: {},
  ...more,
});
const titles = (answer) => answer.data.map((row) => row.title);
const refused = async (call, status, told) => {
  const error = await call.then(() => assert.fail('it was let in'), (error) => error);
  assert.equal(error.status, status);
  if (told) assert.deepEqual(error.body, told);
  return error;
};

let maker, other, snack;
const steps = {
  'a wrong password is told': () => assert.rejects(auth.login({ username: 'ada', password: 'wrong' })),
  'signing in': async () => {
    await auth.login({ username: 'ada', password });
    await auth.checkAuth();
  },
  'an empty list': async () => {
    assert.deepEqual(await provider.getList('snacks', list()), { data: [], total: 0 });
  },
  'creating': async () => {
    maker = (await provider.create('makers', { data: { name: 'Ann' } })).data;
    other = (await provider.create('makers', { data: { name: 'Bob' } })).data;
    assert.ok(maker.id && other.id);
  },
  'creating with a reference': async () => {
    snack = (await provider.create('snacks', { data: { title: 'Popcorn', price: 3, maker: maker.id, day: '2026-01-31', tags: ['a'] } })).data;
    assert.equal(snack.maker, maker.id);
    await provider.create('snacks', { data: { title: 'Halva', maker: other.id } });
  },
  'creating with an input that was emptied': async () => {
    const { data } = await provider.create('snacks', { data: { title: 'Dip', price: '', cost: '' } });
    assert.equal(data.price, null);
    await provider.delete('snacks', { id: data.id, previousData: data });
  },
  'creating with a number that is a text': async () => {
    const { data } = await provider.create('snacks', { data: { title: 'Olives', price: '7', cost: '3.80' } });
    assert.deepEqual([data.price, data.cost], [7, '3.80']);
  },
  'creating with a computed float': async () => {
    const { data } = await provider.create('snacks', { data: { title: 'Dates', weight: 12.917521550408111, fresh: true } });
    assert.equal(data.weight, 12.917521550408111);
  },
  'a field that is missing': () =>
    refused(provider.create('snacks', { data: { price: 3 } }), 400, { title: ['This field is required.'] }),
  'a value that does not fit': () =>
    refused(provider.create('snacks', { data: { title: 'x', price: 'many' } }), 400, { price: ['A valid integer is required.'] }),
  'one record': async () => {
    assert.equal((await provider.getOne('snacks', { id: snack.id })).data.title, 'Popcorn');
  },
  'a record that is not there': () =>
    refused(provider.getOne('snacks', { id: '01920000-0000-7000-8000-000000000001' }), 404),
  'several records': async () => {
    const { data } = await provider.getMany('makers', { ids: [maker.id, other.id] });
    assert.deepEqual(data.map((row) => row.name), ['Ann', 'Bob']);
  },
  'an ordered list': async () => {
    const answer = await provider.getList('snacks', list({ sort: { field: 'title', order: 'DESC' } }));
    assert.deepEqual([titles(answer), answer.total], [['Popcorn', 'Olives', 'Halva', 'Dates'], 4]);
  },
  'a page': async () => {
    const answer = await provider.getList('snacks', list({ pagination: { page: 2, perPage: 3 } }));
    assert.deepEqual([titles(answer), answer.total], [['Dates'], 4]);
  },
  'a page that is not there any more': () =>
    refused(provider.getList('snacks', list({ pagination: { page: 9, perPage: 3 } })), 404),
  'a search': async () => {
    assert.deepEqual(titles(await provider.getList('snacks', list({ filter: { q: 'oliv' } }))), ['Olives']);
  },
  'filters': async () => {
    assert.deepEqual(titles(await provider.getList('snacks', list({ filter: { price__gte: 4 } }))), ['Olives']);
    assert.deepEqual(titles(await provider.getList('snacks', list({ filter: { fresh: true } }))), ['Dates']);
  },
  'a filter that was emptied': async () => {
    assert.equal((await provider.getList('snacks', list({ filter: { price: '' } }))).total, 4);
  },
  'a filter through a reference': async () => {
    assert.deepEqual(titles(await provider.getList('snacks', list({ filter: { maker__name__icontains: 'an' } }))), ['Popcorn']);
  },
  'the records of a reference': async () => {
    const params = list({ target: 'maker', id: maker.id });
    assert.deepEqual(titles(await provider.getManyReference('snacks', params)), ['Popcorn']);
  },
  'an export': async () => {
    const answer = await provider.getList('snacks', list({ pagination: { page: 1, perPage: 1000 } }));
    assert.equal(answer.data.length, answer.total);
  },
  'changing, with the whole record sent back': async () => {
    const { data } = await provider.getOne('snacks', { id: snack.id });
    const changed = await provider.update('snacks', { id: snack.id, data: { ...data, price: '5' }, previousData: data });
    assert.equal(changed.data.price, 5);
  },
  'a change that does not fit': () =>
    refused(provider.update('snacks', { id: snack.id, data: { title: '' } }), 400, { title: ['This field may not be blank.'] }),
  'changing several': async () => {
    const { data } = await provider.getList('snacks', list());
    const ids = data.map((row) => row.id);
    assert.deepEqual((await provider.updateMany('snacks', { ids, data: { fresh: true } })).data, ids);
    assert.equal((await provider.getList('snacks', list({ filter: { fresh: true } }))).total, 4);
  },
  'deleting': async () => {
    await provider.delete('snacks', { id: snack.id, previousData: snack });
    const { data } = await provider.getList('snacks', list());
    await provider.deleteMany('snacks', { ids: data.map((row) => row.id) });
    assert.equal((await provider.getList('snacks', list())).total, 0);
  },
  'signing out': async () => {
    await auth.logout();
    const error = await refused(provider.getList('snacks', list()), 401);
    await assert.rejects(auth.checkError(error));
  },
};

(async () => {
  let failed = 0;
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}: ${error.message} ${JSON.stringify(error.body ?? null)}`);
    }
  }
  const all = Object.keys(steps).length;
  console.log(`react-admin's provider: ${all - failed} of ${all} steps`);
  process.exit(failed === 0 ? 0 : 1);
})();
