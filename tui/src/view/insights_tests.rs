//! Tests of charts: what is asked for, how they are drawn, and that a bar filters the table.

use common::{
    insight::{Chart, ChartStep, Charting, Insight, Zone},
    query::ListQuery,
};
use serde_json::json;

use super::tests::{SIZES, draw};
use crate::{
    effect::Effect,
    fixture::{press, snack, snacks, table},
    load::Ticket,
    message::Message,
    model::{Model, Screen},
    update,
};

/// The charts that are asked for.
fn asked(effects: &[Effect]) -> Vec<(Ticket, Insight)> {
    let ask = |effect: &Effect| match effect {
        Effect::Insight(ticket, _, what) => Some((*ticket, what.0.clone())),
        _ => None,
    };
    effects.iter().filter_map(ask).collect()
}

/// The data of a chart, as the server would tell them.
fn chart(insight: &Insight) -> Chart {
    let told = |results| serde_json::from_value(json!({"count": 3, "results": results})).unwrap();
    let range = match insight.name.as_str() {
        "created_at" => json!([{"created_at__min": "2026-11-01T08:00:00Z", "created_at__max": "2026-11-04T08:00:00Z"}]),
        "price" => json!([{"price__min": "1.20", "price__max": "24.90"}]),
        _ => json!([]),
    };
    let groups = match insight.name.as_str() {
        "created_at" => {
            json!([{"created_at__day": "2026-11-01", "count": 1200}, {"created_at__day": "2026-11-04", "count": 300}])
        }
        "price" => json!([{"price__bucket": "0.00", "count": 30}, {"price__bucket": "4.00", "count": 10}]),
        "size" => json!([{"size": "small", "count": 40}, {"size": "large", "count": 2}, {"size": null, "count": 1}]),
        _ => json!([]),
    };
    let (mut charting, _) = Charting::begin(insight.clone(), ListQuery::default(), Zone::utc());
    let step = if insight.kind.is_in_order() { charting.take(&told(range)) } else { ChartStep::Done(None) };
    match (step, charting.take(&told(groups))) {
        (_, ChartStep::Done(Some(chart))) => chart,
        (step, then) => panic!("{step:?}, {then:?}"),
    }
}

fn opened() -> Model {
    let mut model = table(snacks(), vec![snack(4, "Popcorn")], 1, (120, 40));
    let charts = asked(&press(&mut model, "I"));
    let names: Vec<&str> = charts.iter().map(|(_, insight)| insight.name.as_str()).collect();
    assert_eq!(names, ["created_at", "size", "price"], "of each kind the first; snacks refer to nothing");
    for (ticket, insight) in charts {
        update(&mut model, Message::Insight(ticket, Ok(Some(chart(&insight)))));
    }
    model
}

#[test]
fn charts_say_what_they_are_of_at_every_size() {
    let mut model = opened();
    for size in SIZES {
        draw(&mut model, size);
    }
    let screen = draw(&mut model, (200, 60));
    for part in [
        "› insights",
        "Created: records by day",
        "1\u{202f}200",
        "2026-11-01: 1\u{202f}200 records",
        "Size: records",
        "small",
        "no value",
        "Price: records by steps of 2",
    ] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    let screen = draw(&mut model, (80, 24));
    assert!(
        screen.contains("Created: records by day") && !screen.contains("Size: records"),
        "one at a time:\n{screen}"
    );
    press(&mut model, "t");
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("2026-11-02") && screen.contains("2026-11-03"), "as a table:\n{screen}");
}

#[test]
fn a_bar_filters_the_table_and_data_are_written_as_csv() {
    let mut model = opened();
    press(&mut model, "\tjj");
    let effects = press(&mut model, "w");
    let [Effect::WriteText(_, file, text)] = effects.as_slice() else { panic!("it is written") };
    assert_eq!(
        (file.to_str().unwrap(), text.as_str()),
        ("snacks-by-size.csv", "Size,records\r\nsmall,40\r\nlarge,2\r\nno value,1\r\n")
    );
    let effects = press(&mut model, "\n");
    let [Effect::Records(..)] = effects.as_slice() else { panic!("the table loads") };
    let Some(Screen::Records(shown)) = model.screens.last() else { panic!("the table is seen") };
    assert_eq!(shown.filter_line(), "size is null");
    // Another field of the same kind is asked for by itself.
    let charts = asked(&press(&mut model, "I"));
    assert_eq!(charts.len(), 3);
    let again = asked(&press(&mut model, "f"));
    assert_eq!(again.iter().map(|(_, insight)| insight.name.as_str()).collect::<Vec<_>>(), ["baked_on"]);
}
