//! Any two states lead to each other by the steps between them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{MaybeRename, Renames, State, Step, diff, maybe_renamed};

fn state(collections: &Value) -> State {
    let mut state = State::default();
    let mut left: Vec<(String, Value)> = collections.as_object().unwrap().clone().into_iter().collect();
    // Paths come behind the collections.
    left.sort_by_key(|(name, _)| name.starts_with('/'));
    for (name, mut members) in left {
        let verb = if name.starts_with('/') { "publish" } else { "create" };
        members[verb] = json!(name);
        state.apply(&Step::read(members.as_object().unwrap().clone()).unwrap()).unwrap();
    }
    state
}

fn states() -> Vec<State> {
    let text = json!({"name": "title", "type": "text"});
    [
        json!({}),
        json!({"snacks": {"fields": [text]}}),
        json!({"snacks": {"fields": [{"name": "title", "type": "text", "required": true, "unique": true, "max_length": 20, "help": "What"}], "description": "Food"}}),
        json!({"snacks": {"fields": [{"name": "title", "type": "integer", "min": 3, "default": 5}, {"name": "kind", "type": "choice", "choices": ["a", "b"]}]}}),
        json!({"snacks": {"fields": [{"name": "kind", "type": "choice", "choices": ["b", "c", "d"]}, text], "indexes": [{"fields": ["kind", "-title"]}], "history": "none"}}),
        json!({"snacks": {"fields": [{"name": "kind", "type": "choice", "choices": ["c", "b"], "many": true}, {"name": "ok", "type": "boolean", "default": false}], "access": {"list": ["anyone"], "create": []}}}),
        json!({"snacks": {"fields": [{"name": "title", "type": "email", "searchable": true, "display": true}]}}),
        json!({"snacks": {"fields": [text, {"name": "maker", "type": "reference", "collection": "makers"}]},
               "makers": {"fields": [{"name": "best", "type": "reference", "collection": "snacks", "on_delete": "set_null", "nullable": true}, {"name": "boss", "type": "reference", "collection": "makers"}]},
               "/v1/snacks/": {"collection": "snacks", "members": ["id", "title", {"by": "maker.id"}], "where": {"title": "x"}}}),
        json!({"makers": {"fields": [text]}, "/v1/snacks/": {"collection": "makers", "list": "array"}}),
    ]
    .iter()
    .map(state)
    .collect()
}

#[test]
fn the_steps_between_two_states_lead_from_one_to_the_other() {
    for (i, before) in states().iter().enumerate() {
        for (j, after) in states().iter().enumerate() {
            let parts = diff(before, after, &Renames::default(), true);
            let steps: Vec<Step> = parts.into_iter().flat_map(|part| part.steps).collect();
            let mut come = before.clone();
            come.apply_all(&steps).unwrap_or_else(|errors| panic!("{i} to {j}: {errors:?} {steps:#?}"));
            assert_eq!(&come, after, "{i} to {j}: {steps:#?}");
            assert_eq!(steps.is_empty(), i == j);
            for step in steps {
                assert_eq!(Step::read(step.to_json()).unwrap(), step);
            }
        }
    }
}

#[test]
fn new_names_are_asked_for_and_kept_apart() {
    let before = state(
        &json!({"snacks": {"fields": [{"name": "a", "type": "text"}, {"name": "b", "type": "text"}], "indexes": [{"fields": ["a", "b"]}]},
        "/v1/": {"collection": "snacks", "members": ["a", {"c": "b"}], "where": {"a": "x"}, "lookup": "id"}}),
    );
    let swap = json!({"change": "snacks", "rename": {"a": "b", "b": "a"}, "name": "treats"});
    let mut after = before.clone();
    after.apply(&Step::read(swap.as_object().unwrap().clone()).unwrap()).unwrap();
    let path = json!(after.paths["/v1/"]);
    assert_eq!(
        (&path["collection"], &path["where"], &path["members"]),
        (&json!("treats"), &json!({"b": "x"}), &json!([{"a": "b"}, {"c": "a"}]))
    );
    let asked = maybe_renamed(&before, &after, &Renames::default(), &BTreeSet::new());
    assert_eq!(asked, [MaybeRename { collection: None, old: "snacks".to_owned(), new: "treats".to_owned() }]);
    let name = |text: &str| text.parse().unwrap();
    let renames = Renames {
        collections: [(name("snacks"), name("treats"))].into(),
        fields: [
            (("snacks".parse().unwrap(), "a".parse().unwrap()), "b".parse().unwrap()),
            (("snacks".parse().unwrap(), "b".parse().unwrap()), "a".parse().unwrap()),
        ]
        .into(),
    };
    let steps: Vec<Step> = diff(&before, &after, &renames, true).into_iter().flat_map(|part| part.steps).collect();
    assert_eq!(
        steps.iter().map(Step::to_json).map(Value::Object).collect::<Vec<_>>(),
        [json!({"change": "snacks", "name": "treats", "rename": {"a": "b", "b": "a"}})]
    );
}
