//! What the running request works with: whose turn it takes at long reading, and the memory that it may hold. It goes with the task, as the request's id
//! does; what no request asked for has the server's turn and no bound.

use std::{
    net::IpAddr,
    sync::{LazyLock, Mutex, OnceLock, PoisonError},
};

use base::{Charge, MemoryBudget};
use common::{Object, id::UserId, record::Record};
use serde_json::Value;

use super::{error::Result, turns::TurnOf};

tokio::task_local! {
    static REQUEST: Work;
}

static UNBOUNDED: LazyLock<MemoryBudget> = LazyLock::new(MemoryBudget::unlimited);

/// Bytes that are held for one answer at most: what is read for a page, ordered, joined and expanded.
pub const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Records that are read at once by their ids: one may have half a megabyte, and what it takes is known when it is there.
pub const AT_ONCE: usize = 16;

/// How many bytes a value of parsed JSON takes beside its text, about.
const VALUE: usize = 64;

struct Work {
    address: IpAddr,
    user: OnceLock<UserId>,
    memory: MemoryBudget,
    held: Mutex<Charge>,
}

/// Does what a request from this address asks for.
pub async fn in_request<T>(address: IpAddr, memory: &MemoryBudget, doing: impl Future<Output = T>) -> T {
    let (user, held) = (OnceLock::new(), Mutex::new(memory.nothing()));
    REQUEST.scope(Work { address, user, memory: memory.clone(), held }, doing).await
}

/// The request is this user's.
pub fn is_of(user: UserId) {
    // Outside of a request there is nobody to note it for.
    let _ = REQUEST.try_with(|work| work.user.set(user));
}

/// Charges what is held until the request is answered.
pub fn hold(bytes: usize) -> Result<()> {
    let held = REQUEST.try_with(|work| work.held.lock().unwrap_or_else(PoisonError::into_inner).grow(bytes as u64));
    Ok(held.unwrap_or(Ok(()))?)
}

/// A charge of nothing yet, for what is held for a shorter time.
pub fn charge() -> Charge {
    REQUEST.try_with(|work| work.memory.nothing()).unwrap_or_else(|_| UNBOUNDED.nothing())
}

/// Who waits for a turn.
pub fn turn_of() -> TurnOf {
    REQUEST.try_with(|work| TurnOf::of(work.user.get().copied(), work.address)).unwrap_or(TurnOf::Server)
}

/// About how many bytes JSON takes when it is parsed: text stays as long as it is, and each value and each name have a frame.
pub fn parsed_size(json: &[u8]) -> usize {
    // A separator within a text is counted as well; that errs on the safe side.
    let values = json.iter().filter(|byte| matches!(byte, b',' | b'{' | b'[')).count();
    json.len() + (values + 1) * VALUE
}

/// About how many bytes a record takes that is parsed.
pub fn record_size(record: &Record) -> usize {
    members_size(record.as_object())
}

/// About how many bytes members take that are parsed.
pub fn members_size(members: &Object) -> usize {
    members.iter().map(|(name, value)| name.len() + VALUE + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| VALUE + value_size(item)).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + VALUE + value_size(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::domain::Error;

    #[tokio::test]
    async fn m1_what_a_request_holds_is_given_back_with_its_answer() {
        let memory = MemoryBudget::new(400_000);
        let address = Ipv4Addr::LOCALHOST.into();
        in_request(address, &memory, async {
            hold(200_000).unwrap();
            let mut more = charge();
            assert!(more.grow(200_000).is_err());
            assert!(matches!(hold(200_000), Err(Error::NoMemory)));
            assert_eq!((turn_of(), memory.held()), (TurnOf::of(None, address), 200_000));
            let user = UserId::from_uuid(uuid::Uuid::nil());
            is_of(user);
            assert_eq!(turn_of(), TurnOf::User(user));
        })
        .await;
        assert_eq!(memory.held(), 0);
        assert!(hold(usize::MAX / 4).is_ok(), "no request, no bound");
        assert_eq!(turn_of(), TurnOf::Server);
    }

    #[test]
    fn m1_many_small_values_take_more_than_their_text() {
        assert!(parsed_size(b"[1,1,1,1,1,1]") > 6 * 32);
        assert!(parsed_size(&vec![b'x'; 1000]) < 1100);
        let record: Record = serde_json::from_str(r#"{"a": [1, 2, {"b": "ccc"}], "d": "eeee"}"#).unwrap();
        assert_eq!(record_size(&record), 2 * (1 + VALUE) + 3 * VALUE + 1 + VALUE + 3 + 4);
    }
}
