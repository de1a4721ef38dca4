use super::*;

fn rows(text: &str, is_array: bool) -> io::Result<Vec<Result<String, String>>> {
    let shown = |row: Result<Record, String>| row.map(|record| serde_json::to_string(&record).unwrap());
    Rows::new(text.as_bytes(), is_array).map(|row| row.map(shown)).collect()
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
