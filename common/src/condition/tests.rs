use proptest::prelude::*;

use super::*;

fn printed(text: &str) -> String {
    parse(text).map_or_else(|error| error.to_string(), |condition| condition.to_string())
}

#[test]
fn a_condition_is_read_and_printed_in_one_way() {
    for (text, wanted) in [
        (
            "(kind = \"sweet\" or price < 3) and not vegan and maker.name ~ \"gold\"",
            "(kind = \"sweet\" or price < 3) and not vegan = true and maker.name ~ \"gold\"",
        ),
        ("a=1 or b=2 and c=3", "a = 1 or b = 2 and c = 3"),
        ("not a=1 and b=2", "not a = 1 and b = 2"),
        ("not (a=1 and b=2)", "not (a = 1 and b = 2)"),
        ("((a=1))", "a = 1"),
        ("(a=1 or b=1) or c=1", "(a = 1 or b = 1) or c = 1"),
        ("a in (x, \"y z\", 3)", "a in (\"x\", \"y z\", 3)"),
        ("a not in (1)", "not a in (1)"),
        ("a is null and b is not empty", "a is null and not b is empty"),
        ("a = null or a != empty", "a is null or not a is empty"),
        ("a = \"null\" or owner = me or at < now()", "a = \"null\" or owner = me or at < now()"),
        ("at >= 2026-01-31T18:00Z", "at >= 2026-01-31T18:00Z"),
        ("at__year = 2026", "at.year = 2026"),
        ("title startswith P", "title startswith \"P\""),
        ("t = 'it\\'s' AND u != \"a\\\\b\"", "t = \"it's\" and u != \"a\\\\b\""),
        ("not = 3", "\"not\" = 3"),
    ] {
        assert_eq!(printed(text), wanted);
        assert_eq!(printed(wanted), wanted);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, place) in [
        ("", 1),
        ("a", 0),
        ("price <", 8),
        ("price < 3 4", 11),
        ("(a = 1", 1),
        ("a = 1)", 6),
        ("ä = \"x", 5),
        ("a in 3", 6),
        ("a in ()", 7),
        ("a in (1 2)", 9),
        ("= 3", 1),
        ("a is 3", 6),
        ("a < null", 5),
        ("a = 1 and", 10),
        ("a = 1 or or b = 1", 10),
        ("kind startswit \"x\"", 6),
    ] {
        let told = printed(text);
        assert!(place == 0 || told.starts_with(&format!("At character {place}: ")), "{text}: {told}");
    }
    assert!(printed("kind startswit \"x\"").contains("\"startswit\" is no comparison"));
    for (text, part) in [
        ("a == 3", "one sign compares"),
        ("a <> 3", "one sign compares"),
        ("a = x && b", "\"and\" or \"or\" in place"),
        ("a = x || b = 3", "\"and\" or \"or\" in place"),
        ("!a", "\"not\" in place"),
        ("3 < a", "stands on the left"),
        ("a = 1,5", "quotation marks"),
        ("lower(a) = x", "No function"),
    ] {
        assert!(printed(text).contains(part), "{text}: {}", printed(text));
    }
    assert_eq!((printed("\"3\" = 1"), printed("\"!a\" = 1")), ("\"3\" = 1".to_owned(), "\"!a\" = 1".to_owned()));
    let deep = format!("{}a=1{}", "(".repeat(40), ")".repeat(40));
    assert!(printed(&deep).contains("deep"));
    assert!(printed(&"not ".repeat(3000)).contains("deep"));
    assert!(printed(&vec!["a=1"; 101].join(" or ")).contains("100 comparisons"));
    assert!(printed(&"x".repeat(20_000)).contains("bytes"));
}

struct Snacks;

impl Names for Snacks {
    fn path(&self, text: &str) -> Option<String> {
        let known = [("genre", "Genre"), ("pages", "Pages"), ("in_print", "In print"), ("title", "Title")];
        known.iter().find(|(name, label)| *name == text || *label == text).map(|(name, _)| (*name).to_owned())
    }

    fn is_boolean(&self, path: &str) -> bool {
        path == "in_print"
    }
}

#[test]
fn a_line_has_conditions_and_words() {
    for (line, condition, words) in [
        ("pages > 100", "pages > 100", ""),
        ("Genre=novel", "genre = \"novel\"", ""),
        ("in_print=yes", "in_print = \"yes\"", ""),
        ("\"In print\" = yes sweet corn", "in_print = \"yes\"", "sweet corn"),
        ("pages>=3 title~\"sweet corn\" fresh popped", "pages >= 3 and title ~ \"sweet corn\"", "fresh popped"),
        ("in_print fresh", "in_print = true", "fresh"),
        ("not in_print", "not in_print = true", ""),
        ("genre = a or pages = 3", "genre = \"a\" or pages = 3", ""),
        ("\"a = b\" c", "", "a = b c"),
        ("genre", "", "genre"),
        ("salt and", "", "salt and"),
        ("title startswith P", "title startswith \"P\"", ""),
        ("this is it", "", "this is it"),
        ("", "", ""),
    ] {
        let (found, searched) = parse_line(line, &Snacks).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(found.map_or_else(String::new, |found| found.to_string()), condition, "{line}");
        assert_eq!(searched.join(" "), words, "{line}");
    }
    for (line, part) in [
        ("a or b", "no field \"a\""),
        ("price=3", "no field \"price\""),
        ("pages >", "missing"),
        ("(genre = a", "closed"),
    ] {
        let told = parse_line(line, &Snacks).unwrap_err().to_string();
        assert!(told.contains(part), "{line}: {told}");
    }
}

fn condition() -> impl Strategy<Value = Condition> {
    let operand = prop_oneof![
        any::<String>().prop_map(Operand::Text),
        "[a-z0-9.:+-]{0,6}".prop_map(Operand::Text),
        Just(Operand::Now),
        Just(Operand::Me)
    ];
    let operator = prop::sample::select(vec![
        Operator::Lookup(Lookup::Exact),
        Operator::Lookup(Lookup::Gte),
        Operator::Lookup(Lookup::Icontains),
        Operator::Lookup(Lookup::Startswith),
        Operator::Lookup(Lookup::In),
        Operator::Differs,
        Operator::Null,
        Operator::Empty,
    ]);
    let comparison = ("[a-z]{1,4}(__[a-z]{1,3})?", operator, prop::collection::vec(operand, 1..3)).prop_map(
        |(path, operator, mut operands)| {
            match operator {
                Operator::Null | Operator::Empty => operands.clear(),
                Operator::Lookup(Lookup::In) => {}
                _ => operands.truncate(1),
            }
            Condition::Is(Comparison { path, operator, operands, at: 0 })
        },
    );
    comparison.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_what_it_was(condition in condition()) {
        let text = condition.to_string();
        prop_assert_eq!(parse(&text), Ok(condition), "{}", text);
    }

    #[test]
    fn any_text_is_a_condition_or_a_fault_within_it(text in any::<String>()) {
        match parse(&text) {
            Ok(condition) => prop_assert!(parse(&condition.to_string()).is_ok()),
            Err(error) => prop_assert!(error.at <= text.chars().count()),
        }
        let _ = parse_line(&text, &Snacks);
    }
}
