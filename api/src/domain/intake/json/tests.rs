use base::MemoryBudget;

use super::*;

fn held() -> Charge {
    MemoryBudget::unlimited().nothing()
}

fn rows(text: &str, is_array: bool) -> io::Result<Vec<Result<String, String>>> {
    let shown = |record: Record| serde_json::to_string(&record).unwrap();
    Rows::new(text.as_bytes(), is_array, &mut held())
        .map(|row| row.map(|row| row.map(shown).map_err(|wrong| wrong.message)))
        .collect()
}

#[test]
fn rows_are_found_between_brackets_and_on_lines() {
    let good = |texts: &[&str]| texts.iter().map(|text| Ok((*text).to_owned())).collect::<Vec<_>>();
    let text = " [ {\"a\":[1,{\"b\":\"],}\\\"\"}]} ,\n{\"n\":1.10} ] \n";
    assert_eq!(rows(text, true).unwrap(), good(&["{\"a\":[1,{\"b\":\"],}\\\"\"}]}", "{\"n\":1.10}"]));
    assert_eq!(rows("{\"a\":1}\r\n\n{\"a\":2}", false).unwrap(), good(&["{\"a\":1}", "{\"a\":2}"]));
    assert!(rows("[]", true).unwrap().is_empty() && rows("[\n]\n", true).unwrap().is_empty());
    assert!(rows("", false).unwrap().is_empty());
    for bad in ["[{}", "[{},]", "[{},,{}]", "[{}] x", "x", "[{\"a\":1,\"a\":2}]", "[{\"a\":}]"] {
        assert!(rows(bad, true).is_err(), "{bad}");
    }
    let lines = rows("{\"a\":1}\nx\n3\n{\"a\":2}\n", false).unwrap();
    assert_eq!(lines.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!(rows("[3]", true).unwrap(), [Err("This is int, and no object.".to_owned())]);
}

#[test]
fn m1_a_row_is_charged_while_it_is_read_and_what_has_no_room_is_refused() {
    let memory = MemoryBudget::new(4_000_000);
    let text = "x".repeat(500_000);
    let mut held = memory.nothing();
    for (file, is_array) in
        [(format!("{{\"a\":\"{text}\"}}\n{{}}\n"), false), (format!("[{{\"a\":\"{text}\"}},{{}}]"), true)]
    {
        let mut rows = Rows::new(file.as_bytes(), is_array, &mut held);
        assert!(rows.next().unwrap().unwrap().is_ok());
        assert!((2_000_000..2_100_000).contains(&memory.held()), "{}", memory.held());
        assert!(rows.next().unwrap().unwrap().is_ok());
        assert!(memory.held() < 1000, "{}", memory.held());
    }
    // Nothing but small values, and a text that is too long by itself.
    let many = format!("{{\"a\":[{}1]}}\n", "1,".repeat(100_000));
    for file in [many, format!("{{\"a\":\"{}\"}}\n", "x".repeat(1_000_000))] {
        let error = Rows::new(file.as_bytes(), false, &mut held).next().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
    }
    drop(held);
    assert_eq!(memory.held(), 0);
}
