//! Insights of a collection: how many of its records there are over time, by choice, by number and by what they refer to, under the filter that
//! holds. What is asked for each chart is said here, and what its bars are, which both clients draw; a bar is a condition that the table can be
//! filtered by.

mod stretch;
mod zone;

use std::fmt::Write as _;

use rust_decimal::Decimal;
use serde_json::Value;

pub use self::zone::Zone;

use self::stretch::Stretch;
use crate::{
    Object,
    aggregate::{Aggregate, AggregateQuery, Bucket, Function, Measure},
    collection::Collection,
    condition::{Comparison, Condition, Operand, Operator},
    field::FieldType,
    query::{ListQuery, Lookup, OrderBy},
    table::cell,
    text::{label, thousands},
    validate::parse_decimal,
};

/// Bars of one chart at most, but for those over time and by number, which stand side by side.
pub const MOST_BARS: usize = 12;
/// Bars of a histogram, about.
const STRETCHES: i64 = 12;

/// What a chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How many there were, over time.
    Time,
    /// How many have each value.
    Choice,
    /// How many lie in each stretch of numbers.
    Number,
    /// How many refer to each record, the most frequent first.
    Reference,
}

impl Kind {
    /// All kinds, in the order in which their charts stand.
    pub const ALL: [Self; 4] = [Self::Time, Self::Choice, Self::Number, Self::Reference];

    /// Bars stand side by side, in the order of what they are of.
    pub fn is_in_order(self) -> bool {
        matches!(self, Self::Time | Self::Number)
    }
}

/// One chart that a collection offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insight {
    /// The member.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What it shows.
    pub kind: Kind,
    /// Values are days, not moments.
    is_day: bool,
    /// Values are whole numbers.
    is_whole: bool,
}

/// The charts that a collection offers: of each kind those of its fields, in their order; over time by creation first.
pub fn insights(collection: &Collection) -> Vec<Insight> {
    let created = Insight {
        name: "created_at".to_owned(),
        label: "Created".to_owned(),
        kind: Kind::Time,
        is_day: false,
        is_whole: false,
    };
    let of_fields = collection.fields.iter().filter_map(|field| {
        let kind = match &field.kind {
            FieldType::Date | FieldType::Datetime => Kind::Time,
            FieldType::Choice { many: false, .. } | FieldType::Boolean => Kind::Choice,
            FieldType::Integer { .. } | FieldType::Decimal { .. } => Kind::Number,
            FieldType::Reference { collection: Some(_), many: false, .. } => Kind::Reference,
            _ => return None,
        };
        Some(Insight {
            name: field.name.to_string(),
            label: label(field.name.as_str()),
            kind,
            is_day: field.kind == FieldType::Date,
            is_whole: matches!(field.kind, FieldType::Integer { .. }),
        })
    });
    let mut all: Vec<Insight> = [created].into_iter().chain(of_fields).collect();
    all.sort_by_key(|insight| Kind::ALL.iter().position(|kind| *kind == insight.kind));
    all
}

/// Between which values records lie: what a chart over time or by number is divided by.
#[derive(Debug, Clone, PartialEq)]
enum Range {
    /// Moments or days, and the stretches that they are divided into.
    Time(Stretch),
    /// The width of a bar, and the number at which the first begins.
    Number {
        /// How wide each is.
        width: Decimal,
    },
}

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it is of.
    pub label: String,
    /// How many records.
    pub count: u64,
    /// The records of it.
    pub condition: Condition,
}

/// A chart with its data.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What it says above itself.
    pub heading: String,
    /// What its bars are of.
    pub of: String,
    /// What it shows.
    pub kind: Kind,
    /// Its bars.
    pub bars: Vec<Bar>,
    /// Groups that are not shown.
    pub more: u64,
}

impl Insight {
    /// What is asked first: between which values the records lie. `None` where nothing has to be known before.
    fn range_query(&self, shown: &ListQuery) -> Option<AggregateQuery> {
        let measure = |function| Measure { function, field: Some(self.name.clone()) };
        self.kind.is_in_order().then(|| AggregateQuery {
            records: narrowing(shown),
            measures: vec![measure(Function::Min), measure(Function::Max)],
            ..AggregateQuery::default()
        })
    }

    /// What the first answer said; `None` where no record has a value.
    fn range(&self, answer: &Aggregate, zone: &Zone) -> Option<Range> {
        let row = answer.results.first()?;
        let value = |function: &str| row.get(&format!("{}__{function}", self.name)).filter(|value| !value.is_null());
        let (low, high) = (value("min")?, value("max")?);
        if self.kind == Kind::Time {
            return Stretch::of(low.as_str()?, high.as_str()?, self.is_day, zone).map(Range::Time);
        }
        let [low, high] = [low, high].map(number);
        Some(Range::Number { width: width(low?, high?, self.is_whole) })
    }

    /// What is asked then: how many records are in each group.
    fn query(&self, shown: &ListQuery, range: Option<&Range>) -> AggregateQuery {
        let mut query = AggregateQuery { records: narrowing(shown), ..AggregateQuery::default() };
        match range {
            Some(Range::Time(stretch)) => {
                query.group_by = vec![format!("{}__{}", self.name, stretch.word())];
                if let Some(zone) = stretch.zone() {
                    zone.name().clone_into(&mut query.time_zone);
                }
            }
            Some(Range::Number { width }) => {
                query.buckets = vec![Bucket { field: self.name.clone(), width: width.to_string() }];
            }
            None => {
                query.group_by = vec![self.name.clone()];
                query.ordering = vec![OrderBy { field: "count".to_owned(), descending: true }];
                query.limit = MOST_BARS as u64;
            }
        }
        query
    }

    /// The chart that the answers make.
    fn chart(&self, range: Option<&Range>, answer: &Aggregate) -> Chart {
        let bars = match range {
            Some(Range::Time(stretch)) => self.over_time(stretch, answer),
            Some(Range::Number { width }) => self.by_number(*width, answer),
            None => answer.results.iter().map(|row| self.by_value(row, answer)).collect(),
        };
        let heading = match (self.kind, range) {
            (Kind::Time, Some(Range::Time(stretch))) => {
                let zone = stretch.zone().map_or_else(String::new, |zone| format!(", {}", zone.name()));
                format!("{}: records by {}{zone}", self.label, stretch.word())
            }
            (Kind::Number, Some(Range::Number { width })) => {
                format!("{}: records by steps of {}", self.label, width.normalize())
            }
            (Kind::Reference, _) => format!("{}: most frequent", self.label),
            _ => format!("{}: records", self.label),
        };
        let shown = answer.results.len() as u64;
        Chart { heading, of: self.label.clone(), kind: self.kind, bars, more: answer.count.saturating_sub(shown) }
    }

    /// A comparison of its member.
    fn is(&self, operator: Operator, operands: Vec<String>) -> Condition {
        let operands = operands.into_iter().map(Operand::Text).collect();
        Condition::Is(Comparison { path: self.name.clone(), operator, operands, at: 0 })
    }

    fn between(&self, from: String, to: String) -> Condition {
        let bound = |lookup, value| self.is(Operator::Lookup(lookup), vec![value]);
        Condition::All(vec![bound(Lookup::Gte, from), bound(Lookup::Lt, to)])
    }

    fn nothing(&self, count: u64) -> Bar {
        Bar { label: "no value".to_owned(), count, condition: self.is(Operator::Null, Vec::new()) }
    }

    fn by_value(&self, row: &Object, answer: &Aggregate) -> Bar {
        let (value, count) = (row.get(&self.name).unwrap_or(&Value::Null), count_of(row));
        if value.is_null() {
            return self.nothing(count);
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let named = answer.names.get(&text).or_else(|| answer.names.get(&format!("{}.{text}", self.name)));
        Bar {
            label: cell(named.or(Some(value))),
            count,
            condition: self.is(Operator::Lookup(Lookup::Exact), vec![text]),
        }
    }

    fn over_time(&self, stretch: &Stretch, answer: &Aggregate) -> Vec<Bar> {
        let column = format!("{}__{}", self.name, stretch.word());
        let counts = |label: &str| {
            let row = answer.results.iter().find(|row| row.get(&column).and_then(Value::as_str) == Some(label));
            row.map_or(0, count_of)
        };
        let parts = stretch.parts().into_iter().map(|part| Bar {
            count: counts(&part.key),
            label: part.label,
            condition: self.between(part.from, part.to),
        });
        parts.chain(self.without_value(&column, answer)).collect()
    }

    fn by_number(&self, width: Decimal, answer: &Aggregate) -> Vec<Bar> {
        let column = format!("{}__bucket", self.name);
        let found: Vec<(Decimal, u64)> = answer
            .results
            .iter()
            .filter_map(|row| Some((number(row.get(&column)?)?.normalize(), count_of(row))))
            .collect();
        let first = found.iter().map(|(from, _)| *from).min();
        let last = found.iter().map(|(from, _)| *from).max();
        let mut bars = Vec::new();
        let (mut from, Some(last)) = (first.unwrap_or_default(), last) else {
            return self.without_value(&column, answer).into_iter().collect();
        };
        while from <= last && bars.len() < 100 {
            let to = from + width;
            let count = found.iter().find(|(known, _)| *known == from).map_or(0, |(_, count)| *count);
            let [low, high] = [from, to].map(|bound| bound.normalize().to_string());
            bars.push(Bar { label: format!("{low} – {high}"), count, condition: self.between(low, high) });
            from = to.normalize();
        }
        bars.extend(self.without_value(&column, answer));
        bars
    }

    /// Those that have no value, where there are any.
    fn without_value(&self, column: &str, answer: &Aggregate) -> Option<Bar> {
        let row = answer.results.iter().find(|row| row.get(column).is_some_and(Value::is_null))?;
        Some(self.nothing(count_of(row)))
    }
}

impl Chart {
    /// The most records of one bar, at least one.
    pub fn top(&self) -> u64 {
        self.bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1)
    }

    /// How many records its bars have.
    pub fn total(&self) -> u64 {
        self.bars.iter().map(|bar| bar.count).sum()
    }

    /// What stands below it: what is not shown.
    pub fn note(&self) -> Option<String> {
        (self.more > 0).then(|| format!("and {} more values", thousands(self.more)))
    }

    /// Its data as CSV.
    pub fn csv(&self) -> String {
        let quoted = |text: &str| {
            let is_plain = !text.contains([',', '"', '\n', '\r']);
            if is_plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
        };
        let mut csv = format!("{},records\r\n", quoted(&self.of));
        for bar in &self.bars {
            let _ = write!(csv, "{},{}\r\n", quoted(&bar.label), bar.count);
        }
        csv
    }
}

/// The way to a chart: what is to be asked, and what the answers make. Between which values records lie is asked first, where that has to be known.
#[derive(Debug, Clone)]
pub struct Charting {
    insight: Insight,
    shown: ListQuery,
    zone: Zone,
    /// It was asked for, or need not be known.
    knows_range: bool,
    range: Option<Range>,
}

/// What comes next on the way to a chart.
#[derive(Debug)]
pub enum ChartStep {
    /// This is to be asked, and [`Charting::take`] given the answer.
    Ask(Box<AggregateQuery>),
    /// The chart; none where no record has a value.
    Done(Option<Chart>),
}

impl Charting {
    /// Begins with what is to be asked. Days and hours are those of the zone.
    pub fn begin(insight: Insight, shown: ListQuery, zone: Zone) -> (Self, AggregateQuery) {
        let first = insight.range_query(&shown);
        let knows_range = first.is_none();
        let query = first.unwrap_or_else(|| insight.query(&shown, None));
        (Self { insight, shown, zone, knows_range, range: None }, query)
    }

    /// Takes the answer to what was asked last.
    pub fn take(&mut self, answer: &Aggregate) -> ChartStep {
        if self.knows_range {
            return ChartStep::Done(Some(self.insight.chart(self.range.as_ref(), answer)));
        }
        self.knows_range = true;
        self.range = self.insight.range(answer, &self.zone);
        match &self.range {
            None => ChartStep::Done(None),
            range => ChartStep::Ask(Box::new(self.insight.query(&self.shown, range.as_ref()))),
        }
    }
}

/// A table that is filtered by a bar too: its first page.
pub fn filtered(shown: &ListQuery, bar: &Bar) -> ListQuery {
    let mut parts: Vec<Condition> = shown.filters.iter().filter_map(Condition::of).collect();
    parts.extend(shown.filter.clone());
    for part in flat(bar.condition.clone()) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let (filters, filter) = match Condition::All(parts).into_filters() {
        Ok(filters) => (filters, None),
        Err(Condition::All(mut parts)) if parts.len() == 1 => (Vec::new(), parts.pop()),
        Err(condition) => (Vec::new(), Some(condition)),
    };
    ListQuery { filters, filter, page: 1, ..shown.clone() }
}

fn flat(condition: Condition) -> Vec<Condition> {
    match condition {
        Condition::All(parts) => parts,
        other => vec![other],
    }
}

/// The conditions of a list, and nothing else of it.
fn narrowing(shown: &ListQuery) -> ListQuery {
    ListQuery {
        filters: shown.filters.clone(),
        filter: shown.filter.clone(),
        search: shown.search.clone(),
        ..ListQuery::default()
    }
}

fn count_of(row: &Object) -> u64 {
    row.get("count").and_then(Value::as_u64).unwrap_or(0)
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => parse_decimal(&number.to_string()),
        Value::String(text) => parse_decimal(text),
        _ => None,
    }
}

/// How wide bars are that have all of these numbers: 1, 2 or 5 with zeros.
fn width(low: Decimal, high: Decimal, is_whole: bool) -> Decimal {
    let spread = (high - low) / Decimal::from(STRETCHES);
    let mut step = if is_whole { Decimal::ONE } else { Decimal::new(1, 4) };
    loop {
        for factor in [1, 2, 5] {
            let Some(width) = step.checked_mul(Decimal::from(factor)) else { return step };
            if width >= spread {
                return width.normalize();
            }
        }
        let Some(next) = step.checked_mul(Decimal::TEN) else { return step };
        step = next;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        query::{Query as _, decode},
        table::filter_line,
    };

    fn snacks() -> Collection {
        serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [
                {"name": "title", "type": "text"}, {"name": "price", "type": "decimal", "places": 2}, {"name": "size", "type": "integer"},
                {"name": "kind", "type": "choice", "choices": ["sweet", "sour"]}, {"name": "vegan", "type": "boolean"},
                {"name": "maker", "type": "reference", "collection": "makers"}, {"name": "best", "type": "date"},
            ],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap()
    }

    fn insight(name: &str) -> Insight {
        insights(&snacks()).into_iter().find(|insight| insight.name == name).unwrap()
    }

    fn answer(results: Value, names: Value) -> Aggregate {
        let mut answer = json!({"count": results.as_array().unwrap().len()});
        (answer["results"], answer["names"]) = (results, names);
        serde_json::from_value(answer).unwrap()
    }

    fn shown(bars: &[Bar]) -> Vec<(&str, u64)> {
        bars.iter().map(|bar| (bar.label.as_str(), bar.count)).collect()
    }

    #[test]
    fn a_chart_asks_first_between_what_values_lie_where_that_has_to_be_known() {
        let shown = ListQuery::default();
        let (mut charting, first) = Charting::begin(insight("kind"), shown.clone(), Zone::utc());
        assert_eq!(first.group_by, ["kind"]);
        let counts = answer(json!([{"kind": "sweet", "count": 3}]), json!({}));
        let ChartStep::Done(Some(chart)) = charting.take(&counts) else { panic!("one question is enough") };
        assert_eq!(chart.bars.len(), 1);

        let (mut charting, first) = Charting::begin(insight("size"), shown.clone(), Zone::utc());
        assert_eq!(first.measures.len(), 2);
        let range = answer(json!([{"size__min": 0, "size__max": 9}]), json!({}));
        let ChartStep::Ask(query) = charting.take(&range) else { panic!("the counts are asked then") };
        assert_eq!(query.buckets.len(), 1);
        let counts = answer(json!([{"size__bucket": 0, "count": 3}]), json!({}));
        assert!(matches!(charting.take(&counts), ChartStep::Done(Some(_))));

        let (mut charting, _) = Charting::begin(insight("size"), shown, Zone::utc());
        let nothing = answer(json!([{"size__min": null, "size__max": null}]), json!({}));
        assert!(matches!(charting.take(&nothing), ChartStep::Done(None)), "no record has a value");
    }

    #[test]
    fn a_collection_offers_charts_by_kind() {
        let all: Vec<String> = insights(&snacks()).into_iter().map(|insight| insight.name).collect();
        assert_eq!(all, ["created_at", "best", "kind", "vegan", "price", "size", "maker"]);
    }

    #[test]
    fn a_chart_over_time_has_no_gaps_and_its_bars_filter() {
        let best = insight("best");
        let query = ListQuery::from_pairs(decode("price__gte=2&page=3&ordering=title")).unwrap();
        let asked = best.range_query(&query).unwrap();
        assert_eq!(asked.records.filters, query.filters);
        let range = best
            .range(&answer(json!([{"best__min": "2026-01-30", "best__max": "2026-02-02"}]), json!({})), &Zone::utc())
            .unwrap();
        assert_eq!(best.query(&query, Some(&range)).group_by, ["best__day"]);
        let told = answer(
            json!([{"best__day": "2026-01-30", "count": 2}, {"best__day": "2026-02-02", "count": 1}, {"best__day": null, "count": 4}]),
            json!({}),
        );
        let chart = best.chart(Some(&range), &told);
        assert_eq!(chart.heading, "Best: records by day");
        let due = [("2026-01-30", 2), ("2026-01-31", 0), ("2026-02-01", 0), ("2026-02-02", 1), ("no value", 4)];
        assert_eq!((shown(&chart.bars), chart.top(), chart.total()), (due.to_vec(), 4, 7));
        let next = filtered(&query, &chart.bars[1]);
        assert_eq!(filter_line(&next), "price >= 2 and best >= 2026-01-31 and best < 2026-02-01");
        assert_eq!((next.page, next.ordering.len()), (1, 1));
        assert_eq!(filter_line(&filtered(&next, &chart.bars[1])), filter_line(&next), "twice is once");
        assert_eq!(filter_line(&filtered(&ListQuery::default(), &chart.bars[4])), "best is null");
        assert_eq!(best.range(&answer(json!([{"best__min": null, "best__max": null}]), json!({})), &Zone::utc()), None);
    }

    #[test]
    fn long_times_have_longer_stretches() {
        let created = insight("created_at");
        for (low, high, word) in [
            ("2026-01-01T00:00:00Z", "2026-01-02T12:00:00Z", "hour"),
            ("2026-01-01T00:00:00Z", "2026-02-12T12:00:00Z", "day"),
            ("2024-11-01T00:00:00Z", "2026-02-12T12:00:00Z", "month"),
            ("1924-11-01T00:00:00Z", "2026-02-12T12:00:00Z", "year"),
        ] {
            let range = created
                .range(&answer(json!([{"created_at__min": low, "created_at__max": high}]), json!({})), &Zone::utc())
                .unwrap();
            assert_eq!(created.query(&ListQuery::default(), Some(&range)).group_by, [format!("created_at__{word}")]);
            let Range::Time(stretch) = &range else { panic!("{range:?}") };
            assert!((2..=110).contains(&stretch.parts().len()), "{word}: {}", stretch.parts().len());
        }
    }

    #[test]
    fn a_histogram_has_round_steps() {
        let price = insight("price");
        let range = price
            .range(&answer(json!([{"price__min": "1.20", "price__max": "24.90"}]), json!({})), &Zone::utc())
            .unwrap();
        assert_eq!(price.query(&ListQuery::default(), Some(&range)).buckets[0].width, "2");
        let told =
            answer(json!([{"price__bucket": "0.00", "count": 3}, {"price__bucket": "4.00", "count": 1}]), json!({}));
        let chart = price.chart(Some(&range), &told);
        assert_eq!(shown(&chart.bars), [("0 – 2", 3), ("2 – 4", 0), ("4 – 6", 1)]);
        assert_eq!(filter_line(&filtered(&ListQuery::default(), &chart.bars[2])), "price >= 4 and price < 6");
        assert_eq!(chart.csv(), "Price,records\r\n0 – 2,3\r\n2 – 4,0\r\n4 – 6,1\r\n");
        for (low, high, is_whole, due) in
            [("3", "3", true, "1"), ("0", "1", false, "0.1"), ("-50", "1000000", true, "100000")]
        {
            let [low, high] = [low, high].map(|text| parse_decimal(text).unwrap());
            assert_eq!(width(low, high, is_whole).to_string(), due);
        }
    }

    #[test]
    fn references_are_called_by_their_names() {
        let maker = insight("maker");
        let id = "01920000-0000-7000-8000-000000000002";
        assert_eq!(maker.range_query(&ListQuery::default()), None);
        let mut told = answer(
            json!([{"maker": id, "count": 3}, {"maker": 7, "count": 2}, {"maker": null, "count": 1}]),
            json!({id: "Gold, Inc.", "maker.7": "Seven"}),
        );
        told.count = 40;
        let chart = maker.chart(None, &told);
        assert_eq!(shown(&chart.bars), [("Gold, Inc.", 3), ("Seven", 2), ("no value", 1)]);
        assert_eq!(chart.note().unwrap(), "and 37 more values");
        assert!(chart.csv().contains("\"Gold, Inc.\",3\r\n"));
        assert_eq!(filter_line(&filtered(&ListQuery::default(), &chart.bars[0])), format!("maker = {id}"));
        let vegan = insight("vegan").chart(None, &answer(json!([{"vegan": true, "count": 3}]), json!({})));
        assert_eq!(
            (vegan.bars[0].label.as_str(), filter_line(&filtered(&ListQuery::default(), &vegan.bars[0])).as_str()),
            ("yes", "vegan = true")
        );
    }
}
