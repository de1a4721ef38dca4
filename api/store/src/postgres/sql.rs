//! Every statement of daily work, for a schema. Names are qualified, so nothing rests on a session's settings; and each statement that reads
//! for a request brings the last commit along, of the very moment that it shows.

/// The statements' texts.
#[derive(Debug)]
pub(super) struct Sql {
    pub store: String,
    pub watermark: String,
    pub get: String,
    pub get_as_of: String,
    pub get_many: String,
    pub scan: String,
    pub scan_backward: String,
    pub skip: String,
    pub skip_backward: String,
    pub count: String,
    pub lock: String,
    pub fence: String,
    pub upsert: String,
    pub delete: String,
    pub commit: String,
    pub trim: String,
    pub histogram: String,
    pub size: String,
}

impl Sql {
    pub(super) fn new(schema: &str) -> Sql {
        let (store, commits, kv) =
            (format!("\"{schema}\".store"), format!("\"{schema}\".commits"), format!("\"{schema}\".kv"));
        let last = format!("(select last from {commits} order by first desc limit 1)");
        let range = "key >= $1 and key < $2";
        let scan = |order: &str| {
            format!("select {last}, key, version, value from {kv} where {range} order by key{order} limit $3")
        };
        // The key at a distance is found in the index alone; values are read from there on.
        let skip = |order: &str, beyond: &str| {
            format!(
                "select {last}, key, version, value from {kv} where {range} and key {beyond} (select key from {kv} where {range} order by \
                 key{order} offset $4 limit 1) order by key{order} limit $3"
            )
        };
        Sql {
            store: format!("select store, epoch, format, exclusive from {store} where id = 1"),
            watermark: format!("select last, changed from {commits} order by first desc limit 1"),
            get: format!("select {last}, version, value from {kv} where key = $1"),
            get_as_of: format!(
                "select c.last, c.changed, k.version, k.value from (select last, changed from {commits} order by first desc limit 1) c left \
                 join {kv} k on k.key = $1"
            ),
            get_many: format!("select {last}, key, version, value from {kv} where key = any($1)"),
            scan: scan(""),
            scan_backward: scan(" desc"),
            skip: skip("", ">="),
            skip_backward: skip(" desc", "<="),
            count: format!("select count(*) from {kv} where {range}"),
            lock: format!("select epoch, format, exclusive from {store} where id = 1 for update"),
            fence: format!("select first from {commits} where node = $1 and grp = $2"),
            upsert: format!(
                "insert into {kv} (key, version, value) select * from unnest($1::bytea[], $2::bigint[], $3::bytea[]) on conflict (key) do \
                 update set version = excluded.version, value = excluded.value"
            ),
            delete: format!("delete from {kv} where key = any($1)"),
            commit: format!("insert into {commits} (first, last, node, grp, changed) values ($1, $2, $3, $4, $5)"),
            trim: format!(
                "delete from {commits} where at < now() - interval '1 day' and first < (select first from {commits} order by first desc \
                 offset 100000 limit 1)"
            ),
            histogram: format!(
                "select c.reltuples::float8, s.histogram_bounds::text::bytea[] from pg_catalog.pg_class c join pg_catalog.pg_namespace n on \
                 n.oid = c.relnamespace join pg_catalog.pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname where n.nspname \
                 = '{schema}' and c.relname = 'kv' and s.attname = 'key'"
            ),
            size: format!("select pg_catalog.pg_total_relation_size('{kv}')"),
        }
    }

    /// What makes the tables, each statement by itself, in one transaction. Done again it changes nothing.
    pub(super) fn tables(schema: &str) -> [String; 5] {
        [
            format!("create schema if not exists \"{schema}\""),
            format!(
                "create table if not exists \"{schema}\".store (id smallint primary key check (id = 1), store uuid not null, format int not \
                 null, epoch bigint not null, exclusive text)"
            ),
            format!(
                "create table if not exists \"{schema}\".commits (first bigint primary key, last bigint not null, node uuid not null, grp \
                 bigint not null, changed bytea not null, at timestamptz not null default now(), unique (node, grp))"
            ),
            format!(
                "create table if not exists \"{schema}\".kv (key bytea primary key, version bigint not null, value bytea not null) with \
                 (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05)"
            ),
            // Estimates of ranges go by it.
            format!("alter table \"{schema}\".kv alter column key set statistics 1000"),
        ]
    }
}
