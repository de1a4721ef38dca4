//! Keys in CBOR (RFC 8949): COSE keys (RFC 9052 §7), alone or inside of what passkeys send. Only as much is read as tells them apart.

/// How deep items nest.
const DEPTH: usize = 8;
/// No larger file is looked through: none holds a key so far behind its beginning.
const LONGEST: usize = 8192;

enum Item<'a> {
    Number(i128),
    Bytes(&'a [u8]),
    Text(&'a [u8]),
    Other,
}

/// Whether a COSE key is in it.
pub(super) fn has_key(bytes: &[u8]) -> bool {
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    (0..bytes.len()).any(|at| is_key(&bytes[at..]))
}

/// Whether a map begins here that has a kind of keys, and numbers as long as those of keys.
fn is_key(bytes: &[u8]) -> bool {
    let Some((5, count @ 2..=16, mut rest)) = head(bytes) else { return false };
    let (mut has_kind, mut has_number) = (false, false);
    for _ in 0..count {
        let Some((label, more)) = item(rest, DEPTH) else { return false };
        let Some((value, more)) = item(more, DEPTH) else { return false };
        rest = more;
        match (label, value) {
            (Item::Number(1), Item::Number(1..=7)) => has_kind = true,
            (Item::Number(1), Item::Text(name)) => {
                has_kind |= [&b"OKP"[..], b"EC2", b"EC", b"RSA", b"oct"].contains(&name);
            }
            (Item::Number(-3..=-1), Item::Bytes(number)) => has_number |= number.len() >= 16,
            _ => {}
        }
    }
    has_kind && has_number
}

/// The kind of the first item, what it says, and what follows its head.
fn head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let length = match first & 0x1f {
        small @ 0..=23 => return Some((first >> 5, u64::from(small), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let (digits, rest) = rest.split_at_checked(length)?;
    Some((first >> 5, digits.iter().fold(0, |number, digit| number << 8 | u64::from(*digit)), rest))
}

/// The first item, and what follows it.
fn item(bytes: &[u8], depth: usize) -> Option<(Item<'_>, &[u8])> {
    let (kind, number, rest) = head(bytes)?;
    let depth = depth.checked_sub(1)?;
    let count = usize::try_from(number).ok()?;
    let skip = |count: usize| {
        // An item takes a byte at least.
        (count <= rest.len()).then_some(())?;
        (0..count).try_fold(rest, |rest, _| item(rest, depth).map(|(_, rest)| rest))
    };
    Some(match kind {
        0 => (Item::Number(number.into()), rest),
        1 => (Item::Number(-1 - i128::from(number)), rest),
        2 | 3 => {
            let (content, rest) = rest.split_at_checked(count)?;
            (if kind == 2 { Item::Bytes(content) } else { Item::Text(content) }, rest)
        }
        4 => (Item::Other, skip(count)?),
        5 => (Item::Other, skip(count.checked_mul(2)?)?),
        6 => (Item::Other, item(rest, depth)?.1),
        _ => (Item::Other, rest),
    })
}
