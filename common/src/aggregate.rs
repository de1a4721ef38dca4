//! Counts, sums and other measures of many records, by what they have in common: `GET /api/records/{collection}/aggregate/`. Both clients'
//! plots draw its answers.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::{
    Object,
    answer::JsonAnswer,
    condition::{self, Condition},
    problem::FieldErrors,
    query::{ListQuery, OrderBy, Pairs, Query, unknown_parameter},
    reader::invalid,
};

/// Groups that one answer may be made of.
pub const MAX_GROUPS: usize = 10_000;
/// Rows of an answer where nothing else is asked for.
pub const DEFAULT_ROWS: u64 = 1000;
/// What one query groups by at most.
pub const MAX_GROUP_BY: usize = 4;
/// Measures of one query at most.
pub const MAX_MEASURES: usize = 16;

/// A function of the records of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// How many there are, or how many have a value.
    Count,
    /// The sum of the values.
    Sum,
    /// Their mean.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// How many different ones there are.
    Distinct,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Count, Self::Sum, Self::Avg, Self::Min, Self::Max, Self::Distinct];

    /// The parameter that asks for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Distinct => "distinct",
        }
    }
}

/// What is asked of each group: `count=*`, `sum=price`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// The function.
    pub function: Function,
    /// The field, or what leads to one; `None` of [`Function::Count`] for all records.
    pub field: Option<String>,
}

impl Measure {
    /// What it is called in the answer: `count`, `price__sum`.
    pub fn column(&self) -> String {
        match &self.field {
            None => self.function.word().to_owned(),
            Some(field) => format!("{field}__{}", self.function.word()),
        }
    }
}

/// A histogram's bars: `bucket=price:10`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The field.
    pub field: String,
    /// How wide each is, as it was typed.
    pub width: String,
}

impl Bucket {
    /// What it is called in the answer.
    pub fn column(&self) -> String {
        format!("{}__bucket", self.field)
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.field, self.width)
    }
}

/// The parameters of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateQuery {
    /// Which records: the conditions of a list.
    pub records: ListQuery,
    /// What the records of a group have in common: fields, what references lead to, `created_at__month`.
    pub group_by: Vec<String>,
    /// Stretches of numbers that they have in common.
    pub buckets: Vec<Bucket>,
    /// What is asked of each group.
    pub measures: Vec<Measure>,
    /// Which groups, by the columns of the answer: `count > 3 and price__sum >= 10`.
    pub having: Option<Condition>,
    /// Their order, by the columns of the answer.
    pub ordering: Vec<OrderBy>,
    /// Groups at most.
    pub limit: u64,
    /// Groups that are passed over.
    pub offset: u64,
    /// Whose days and hours are meant, as the time zone database names it.
    pub time_zone: String,
    /// How the records were found is told too.
    pub explain: bool,
}

impl Default for AggregateQuery {
    fn default() -> Self {
        Self {
            records: ListQuery::default(),
            group_by: Vec::new(),
            buckets: Vec::new(),
            measures: vec![Measure { function: Function::Count, field: None }],
            having: None,
            ordering: Vec::new(),
            limit: DEFAULT_ROWS,
            offset: 0,
            time_zone: "UTC".to_owned(),
            explain: false,
        }
    }
}

fn names(value: &str) -> impl Iterator<Item = String> {
    value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(|name| name.replace('.', "__"))
}

impl Query for AggregateQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut query = Self { measures: Vec::new(), ..Self::default() };
        let (mut errors, mut seen, mut rest) = (FieldErrors::new(), BTreeSet::new(), Pairs::new());
        for (name, value) in pairs {
            let function = Function::ALL.into_iter().find(|function| function.word() == name);
            let is_own = function.is_some() || PARAMETERS.contains(&name.as_str());
            if is_own && !seen.insert(name.clone()) {
                errors.push(name, invalid("This parameter stands twice."));
                continue;
            }
            if let Some(function) = function {
                for field in value.split(',').map(str::trim).filter(|field| !field.is_empty()) {
                    let all = function == Function::Count && matches!(field, "*" | "true");
                    query.measures.push(Measure { function, field: (!all).then(|| field.replace('.', "__")) });
                }
                continue;
            }
            match name.as_str() {
                "group_by" => query.group_by.extend(names(&value)),
                "bucket" => {
                    for bucket in value.split(',').map(str::trim).filter(|bucket| !bucket.is_empty()) {
                        match bucket.rsplit_once(':') {
                            Some((field, width)) => query
                                .buckets
                                .push(Bucket { field: field.replace('.', "__"), width: width.trim().to_owned() }),
                            None => errors.push("bucket", invalid("Use bucket=<field>:<width>, such as price:10.")),
                        }
                    }
                }
                "having" if value.trim().is_empty() => {}
                "having" => match condition::parse(&value) {
                    Ok(condition) => query.having = Some(condition),
                    Err(error) => errors.push(name, invalid(error.to_string())),
                },
                "ordering" => {
                    let order = |name: String| match name.strip_prefix('-') {
                        Some(field) => OrderBy { field: field.to_owned(), descending: true },
                        None => OrderBy { field: name, descending: false },
                    };
                    query.ordering = names(&value).map(order).collect();
                }
                "limit" | "offset" | "time_zone" if value.is_empty() => {}
                "limit" | "offset" => match value.parse::<u64>() {
                    Ok(0) if name == "limit" => {
                        errors.push(name, invalid("A valid integer of at least 1 is required."));
                    }
                    Ok(number) if name == "limit" => query.limit = number.min(MAX_GROUPS as u64),
                    Ok(number) => query.offset = number,
                    Err(_) => errors.push(name, invalid("A valid integer is required.")),
                },
                "time_zone" => query.time_zone = value,
                "page" | "page_size" | "cursor" | "highlight" | "named" | "fields" | "left_join" | "expand" => {
                    errors.push(name, unknown_parameter());
                }
                _ => rest.push((name, value)),
            }
        }
        for (name, count, most) in [
            ("group_by", query.group_by.len() + query.buckets.len(), MAX_GROUP_BY),
            ("count", query.measures.len(), MAX_MEASURES),
        ] {
            if count > most {
                errors.push(name, invalid(format!("A query may have {most} of these; this one has {count}.")));
            }
        }
        match ListQuery::from_pairs(rest) {
            Ok(records) => query.records = records,
            Err(wrong) => errors.append(wrong),
        }
        query.explain = std::mem::take(&mut query.records.explain);
        if query.measures.is_empty() {
            query.measures = Self::default().measures;
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        let mut pairs = Pairs::new();
        let mut push = |name: &str, value: String| pairs.push((name.to_owned(), value));
        if !self.group_by.is_empty() {
            push("group_by", self.group_by.join(","));
        }
        if !self.buckets.is_empty() {
            push("bucket", self.buckets.iter().map(Bucket::to_string).collect::<Vec<_>>().join(","));
        }
        if self.measures != Self::default().measures {
            for function in Function::ALL {
                let asked = self.measures.iter().filter(|measure| measure.function == function);
                let fields: Vec<&str> = asked.map(|measure| measure.field.as_deref().unwrap_or("*")).collect();
                if !fields.is_empty() {
                    push(function.word(), fields.join(","));
                }
            }
        }
        if let Some(having) = &self.having {
            push("having", having.to_string());
        }
        if !self.ordering.is_empty() {
            push("ordering", self.ordering.iter().map(OrderBy::to_string).collect::<Vec<_>>().join(","));
        }
        if self.limit != DEFAULT_ROWS {
            push("limit", self.limit.to_string());
        }
        if self.offset != 0 {
            push("offset", self.offset.to_string());
        }
        if self.time_zone != "UTC" {
            push("time_zone", self.time_zone.clone());
        }
        pairs.extend(ListQuery { explain: self.explain, ..self.records.clone() }.to_pairs());
        pairs
    }
}

/// A field of one of these names, or of a function's, is filtered as `<name>__exact`.
const PARAMETERS: [&str; 7] = ["group_by", "bucket", "having", "ordering", "limit", "offset", "time_zone"];

/// The groups, each an object of what its records have in common and of its measures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Aggregate {
    /// How many groups there are in all.
    pub count: u64,
    /// The groups that were asked for. Sums and means of decimals are texts, as decimals are.
    pub results: Vec<Object>,
    /// What the records are called that `results` name by their ids.
    #[serde(default)]
    pub names: Map<String, serde_json::Value>,
}

impl JsonAnswer for Aggregate {}

/// One value of a field in a list, and how many rows have it: `facets=kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FacetValue {
    /// The value.
    pub value: serde_json::Value,
    /// What a record is called whose id it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many rows have it.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{decode, encode};

    #[test]
    fn a_query_reads_back_as_it_was_written() {
        let raw = "group_by=kind%2Ccreated_at__month&bucket=price%3A10&count=*&sum=price&avg=price%2Cmaker__size&having=count+%3E+3&ordering=-count%2Ckind&limit=5&offset=2&time_zone=Europe%2FBerlin&price__gte=3&filter=vegan&search=a&explain=true";
        let query = AggregateQuery::from_pairs(decode(raw)).unwrap();
        assert_eq!(AggregateQuery::from_pairs(query.to_pairs()).unwrap(), query, "{}", encode(&query.to_pairs()));
        assert!(AggregateQuery::default().to_pairs().is_empty());
        let dotted = AggregateQuery::from_pairs(decode("group_by=maker.country&sum=maker.size")).unwrap();
        assert_eq!(
            (dotted.group_by, dotted.measures[0].column()),
            (vec!["maker__country".into()], "maker__size__sum".into())
        );
    }

    #[test]
    fn n7_what_makes_no_sense_is_refused_by_name() {
        for bad in [
            "limit=0",
            "limit=x",
            "bucket=price",
            "page=2",
            "group_by=a&group_by=b",
            "having=count+%3E",
            "fields=a",
            "group_by=a,b,c,d,e",
        ] {
            let errors = AggregateQuery::from_pairs(decode(bad)).unwrap_err();
            assert!(errors.0.contains_key(bad.split('=').next().unwrap()), "{bad}: {errors:?}");
        }
    }
}
