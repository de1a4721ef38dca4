//! Mending a damaged log, in a copy of it. A flipped bit can be found by the checksum and flipped back. A message that cannot be read is replaced
//! by one that can be passed over: then what it was about is unreadable, and nothing else.
//!
//! The log of sled 0.34: segments of one size, each with a header of 20 bytes (checksum, sequence number, last stable sequence number)
//! and messages (checksum, kind, length, number of the segment, number of the page, body). The checksums are CRC-32.

use std::{collections::BTreeMap, fs::File, io, ops::Range, os::unix::fs::FileExt};

const SEGMENT_HEADER: usize = 20;
/// No message begins in the last bytes of a segment.
const MESSAGE_HEADER: usize = 32;
/// Sequence numbers are written with these bits the other way round.
const SEQUENCE: u64 = 0x7fff_ffff_ffff_ffff;

/// Kinds of messages.
const CANCELED: u8 = 1;
const CAP: u8 = 2;
const LAST_KIND: u8 = 11;
/// Where the messages end that count together or not at all.
pub(super) const BATCH: u8 = 3;
/// A page that is none any more.
pub(super) const FREE: u8 = 4;
/// Where trees begin.
pub(super) const META: u8 = 6;
/// A page, and a change of a page.
pub(super) const NODE: u8 = 8;
pub(super) const LINK: u8 = 10;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mended {
    /// Bits that were flipped back.
    pub bits: u64,
    /// Messages that are lost, or stretches of them.
    pub lost: u64,
    /// Segments that are known by their messages alone.
    pub headers: u64,
    /// The end of the log is missing.
    pub is_short: bool,
}

impl Mended {
    /// Whether something is missing that nobody can tell: an older state of a page may stand where it was.
    pub(super) fn has_gaps(&self) -> bool {
        self.lost > 0 || self.headers > 0 || self.is_short
    }
}

/// Mends a database file.
pub(super) fn mend(file: &File, segment: usize) -> io::Result<Mended> {
    let mut mended = Mended::default();
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut buffer = vec![0; segment];
    // Where each segment is, by its number.
    let (mut places, mut nameless) = (BTreeMap::new(), Vec::new());
    for begin in (0..length).step_by(segment) {
        let bytes = &mut buffer[..segment.min(length - begin)];
        file.read_exact_at(bytes, begin as u64)?;
        if bytes.len() < SEGMENT_HEADER + MESSAGE_HEADER {
            continue;
        }
        let before = mended;
        let Some(of_segment) = mend_header(&mut bytes[..SEGMENT_HEADER], segment, &mut mended) else {
            nameless.push(begin);
            continue;
        };
        places.insert(of_segment, begin);
        mend_messages(bytes, of_segment, &mut mended);
        if mended != before {
            file.write_all_at(bytes, begin as u64)?;
        }
    }
    for begin in nameless {
        let bytes = &mut buffer[..segment.min(length - begin)];
        file.read_exact_at(bytes, begin as u64)?;
        // A segment that is free has no messages.
        let Some(of_segment) = number_by_messages(bytes).filter(|number| !places.contains_key(number)) else {
            continue;
        };
        put_header(&mut bytes[..SEGMENT_HEADER], of_segment * segment as u64, 0);
        mended.headers += 1;
        places.insert(of_segment, begin);
        mend_messages(bytes, of_segment, &mut mended);
        file.write_all_at(bytes, begin as u64)?;
    }
    mended.is_short = is_short(file, segment, &places)?;
    Ok(mended)
}

/// Whether the last place that is known to have been durable is behind the last segment that is there.
fn is_short(file: &File, segment: usize, places: &BTreeMap<u64, usize>) -> io::Result<bool> {
    let Some(last) = places.last_key_value().map(|(number, _)| number * segment as u64) else { return Ok(false) };
    let mut header = [0; SEGMENT_HEADER];
    for begin in places.values() {
        file.read_exact_at(&mut header, *begin as u64)?;
        let stable = sequence(&header[12..20]);
        // Before anything is durable, that place is before the beginning.
        if stable != u64::MAX && stable >= last + segment as u64 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where the segments of a mended file are, by their numbers.
pub(super) fn segments(file: &File, segment: usize) -> io::Result<BTreeMap<u64, u64>> {
    let (mut found, mut header) = (BTreeMap::new(), [0; SEGMENT_HEADER]);
    let length = file.metadata()?.len();
    for begin in (0..length).step_by(segment).filter(|begin| begin + SEGMENT_HEADER as u64 <= length) {
        file.read_exact_at(&mut header, begin)?;
        if header_fits(&header) {
            found.insert(sequence(&header[4..12]) / segment as u64, begin);
        }
    }
    Ok(found)
}

/// The messages of a mended segment, each with its kind, its page, and where in the segment its body is.
pub(super) fn messages(bytes: &[u8], of_segment: u64, mut each: impl FnMut(u8, u64, Range<usize>)) {
    let mut at = SEGMENT_HEADER;
    while at + MESSAGE_HEADER <= bytes.len()
        && let Some(message) = Message::at(bytes, at).filter(|message| message.fits(bytes, at, of_segment))
        && message.kind != CAP
    {
        each(message.kind, message.page, at + message.head..at + message.length());
        at += message.length();
    }
}

/// The number of a segment, by its header.
fn mend_header(header: &mut [u8], segment: usize, mended: &mut Mended) -> Option<u64> {
    if header.iter().all(|byte| *byte == 0) {
        return None;
    }
    if !header_fits(header) {
        let bit = (0..SEGMENT_HEADER * 8).find(|bit| header_fits(&flipped(header, *bit)))?;
        flip(header, bit);
        mended.bits += 1;
    }
    Some(sequence(&header[4..12]) / segment as u64)
}

/// The number of the segment that most messages are of, wherever in it they begin.
fn number_by_messages(bytes: &[u8]) -> Option<u64> {
    let (mut counts, mut at) = (BTreeMap::<u64, usize>::new(), SEGMENT_HEADER);
    while at + MESSAGE_HEADER <= bytes.len() {
        match Message::at(bytes, at).filter(|message| message.body > 0 && message.is_whole(bytes, at)) {
            Some(message) => {
                *counts.entry(message.of_segment).or_default() += 1;
                at += message.length();
            }
            None => at += 1,
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(number, _)| number)
}

/// Writes a header.
fn put_header(header: &mut [u8], own: u64, stable: u64) {
    header[4..12].copy_from_slice(&(own ^ SEQUENCE).to_le_bytes());
    header[12..20].copy_from_slice(&(stable ^ SEQUENCE).to_le_bytes());
    let crc = crc32fast::hash(&header[4..SEGMENT_HEADER]) ^ u32::MAX;
    header[..4].copy_from_slice(&crc.to_le_bytes());
}

/// A sequence number as it stands in a header.
fn sequence(bytes: &[u8]) -> u64 {
    number(bytes) ^ SEQUENCE
}

fn mend_messages(bytes: &mut [u8], of_segment: u64, mended: &mut Mended) {
    let mut at = SEGMENT_HEADER;
    while at + MESSAGE_HEADER <= bytes.len() {
        if let Some(message) = Message::at(bytes, at).filter(|message| message.fits(bytes, at, of_segment)) {
            if message.kind == CAP {
                return;
            }
            at += message.length();
            continue;
        }
        // Behind the end of what was written there are zeros, or what an earlier use of the segment left; but zeros may be the damage as well.
        let is_empty = bytes[at..at + MESSAGE_HEADER].iter().all(|byte| *byte == 0);
        if !is_empty && Message::at(bytes, at).is_some_and(|message| message.is_whole(bytes, at)) {
            return;
        }
        if !is_empty && flip_back(bytes, at, of_segment) {
            mended.bits += 1;
            continue;
        }
        let Some(next) = (at + 8..bytes.len() - MESSAGE_HEADER)
            .find(|next| Message::at(bytes, *next).is_some_and(|message| message.fits(bytes, *next, of_segment)))
        else {
            return;
        };
        replace(bytes, at..next, of_segment);
        mended.lost += 1;
        at = next;
    }
}

/// The head of a message.
#[derive(Debug, Clone, Copy)]
struct Message {
    crc: u32,
    kind: u8,
    body: usize,
    of_segment: u64,
    page: u64,
    /// Bytes of the head.
    head: usize,
}

impl Message {
    /// Reads the head of a message; `None` if there can be none.
    fn at(bytes: &[u8], at: usize) -> Option<Message> {
        let head = bytes.get(at..)?;
        let crc = u32::from_le_bytes(*head.first_chunk()?);
        let kind = *head.get(4)?;
        let mut used = 5;
        let mut next = || {
            let (number, length) = varint(head.get(used..)?)?;
            used += length;
            Some(number)
        };
        let (body, of_segment, page) = (next()?, next()?, next()?);
        let body = usize::try_from(body).ok()?;
        let fits = (CANCELED..=LAST_KIND).contains(&kind) && body <= head.len() - used;
        fits.then_some(Message { crc, kind, body, of_segment, page, head: used })
    }

    fn length(&self) -> usize {
        self.head + self.body
    }

    /// Whether its checksum fits.
    fn is_whole(&self, bytes: &[u8], at: usize) -> bool {
        self.crc == checksum(&bytes[at..at + self.length()], self.head)
    }

    /// Whether it is one of this segment, and not what an earlier use of the segment left.
    fn fits(&self, bytes: &[u8], at: usize, of_segment: u64) -> bool {
        self.of_segment == of_segment && self.is_whole(bytes, at)
    }
}

fn checksum(message: &[u8], head: usize) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&message[head..]);
    hasher.update(&message[4..head]);
    hasher.finalize() ^ u32::MAX
}

/// Finds the one bit by which a message differs from one that fits, and flips it.
fn flip_back(bytes: &mut [u8], at: usize, of_segment: u64) -> bool {
    // A bit of the head may say where the message ends, so each is tried.
    for bit in 0..MESSAGE_HEADER * 8 {
        flip(&mut bytes[at..], bit);
        if Message::at(bytes, at).is_some_and(|message| message.fits(bytes, at, of_segment)) {
            return true;
        }
        flip(&mut bytes[at..], bit);
    }
    let Some(message) = Message::at(bytes, at).filter(|message| message.of_segment == of_segment) else { return false };
    let whole = &bytes[at..at + message.length()];
    let wrong = message.crc ^ checksum(whole, message.head);
    // What a bit does to the checksum depends on how many bytes are behind it alone: all of the head but the checksum is.
    let mut effects: [u32; 8] = std::array::from_fn(|bit| shifted(1 << bit));
    for _ in 4..message.head {
        effects = effects.map(shifted_by_a_byte);
    }
    for byte in (message.head..message.length()).rev() {
        if let Some(bit) = effects.iter().position(|effect| *effect == wrong) {
            flip(&mut bytes[at..], byte * 8 + bit);
            return Message::at(bytes, at).is_some_and(|message| message.fits(bytes, at, of_segment));
        }
        effects = effects.map(shifted_by_a_byte);
    }
    false
}

/// Eight steps of the CRC-32's register.
fn shifted(mut register: u32) -> u32 {
    for _ in 0..8 {
        register = (register >> 1) ^ (0xedb8_8320 & (register & 1).wrapping_neg());
    }
    register
}

fn shifted_by_a_byte(register: u32) -> u32 {
    shifted(register)
}

/// Puts a message that can be passed over in the place of one that cannot be read. If it was about a page, sled takes it for what the page
/// is, and finds when somebody reads the page that it makes no sense: an older state of the page would be wrong.
fn replace(bytes: &mut [u8], place: Range<usize>, of_segment: u64) {
    let place = &mut bytes[place];
    let old = Message::at(place, 0).filter(|old| old.length() == place.len() && old.of_segment == of_segment);
    if let Some(old) = old.filter(|old| old.kind == NODE || old.kind == LINK) {
        place[old.head..].fill(0xff);
    } else if let Some(head) = canceled(place.len(), of_segment) {
        place[..head.len()].copy_from_slice(&head);
    }
    if let Some(message) = Message::at(place, 0) {
        let crc = checksum(&place[..message.length()], message.head);
        place[..4].copy_from_slice(&crc.to_le_bytes());
    }
}

/// The head of a message of so many bytes that says nothing, without its checksum.
fn canceled(length: usize, of_segment: u64) -> Option<Vec<u8>> {
    // Which page it is about does not matter, and a larger number takes a byte more.
    let mut heads = [0, 300].into_iter().flat_map(|page| {
        (0..=length).rev().take(MESSAGE_HEADER).map(move |body| {
            let mut head = vec![0, 0, 0, 0, CANCELED];
            for number in [body as u64, of_segment, page] {
                put_varint(&mut head, number);
            }
            (head, body)
        })
    });
    heads.find(|(head, body)| head.len() + body == length).map(|(head, _)| head)
}

fn header_fits(header: &[u8]) -> bool {
    header.first_chunk().map(|crc| u32::from_le_bytes(*crc) ^ u32::MAX)
        == Some(crc32fast::hash(&header[4..SEGMENT_HEADER]))
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    flip(&mut bytes, bit);
    bytes
}

fn flip(bytes: &mut [u8], bit: usize) {
    bytes[bit / 8] ^= 1 << (bit % 8);
}

fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// A number as sled writes it, and how many bytes it takes.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let byte = |at: usize| bytes.get(at).map(|byte| u64::from(*byte));
    Some(match first {
        0..=240 => (u64::from(first), 1),
        241..=248 => (240 + 256 * (u64::from(first) - 241) + byte(1)?, 2),
        249 => (2288 + 256 * byte(1)? + byte(2)?, 3),
        _ => {
            let length = usize::from(first) - 247;
            let mut number = [0; 8];
            number[..length].copy_from_slice(bytes.get(1..=length)?);
            (u64::from_le_bytes(number), length + 1)
        }
    })
}

fn put_varint(to: &mut Vec<u8>, number: u64) {
    let low = |number: u64| number.to_le_bytes()[0];
    match number {
        0..=240 => to.push(low(number)),
        241..=2287 => to.extend([241 + low((number - 240) >> 8), low(number - 240)]),
        2288..=67_823 => to.extend([249, low((number - 2288) >> 8), low(number - 2288)]),
        _ => {
            let length = (8 - number.leading_zeros() as usize / 8).max(3);
            to.push(247 + u8::try_from(length).unwrap_or(8));
            to.extend(&number.to_le_bytes()[..length]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of a segment, as sled writes it.
    fn message(kind: u8, of_segment: u64, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 0, kind];
        put_varint(&mut bytes, body.len() as u64);
        put_varint(&mut bytes, of_segment);
        put_varint(&mut bytes, 300);
        let head = bytes.len();
        bytes.extend(body);
        let crc = checksum(&bytes, head);
        bytes[..4].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn segment() -> Vec<u8> {
        let mut bytes = vec![0; SEGMENT_HEADER];
        put_header(&mut bytes, 7 * 8192, 8);
        for n in 0..8 {
            bytes.extend(message(NODE + 2 * (n % 2), 7, &vec![n; 20 * usize::from(n)]));
        }
        bytes.resize(8192, 0);
        bytes
    }

    fn mend_segment(bytes: &mut [u8]) -> Mended {
        let mut mended = Mended::default();
        let number = mend_header(&mut bytes[..SEGMENT_HEADER], 8192, &mut mended);
        mend_messages(bytes, number.unwrap_or(7), &mut mended);
        mended
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for number in [0, 240, 241, 2287, 2288, 67_823, 67_824, 0xff_ffff, 0x100_0000, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number);
            assert_eq!(varint(&bytes), Some((number, bytes.len())), "{number}");
        }
    }

    #[test]
    fn every_single_bit_is_flipped_back() {
        let whole = segment();
        let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let mended = mend_segment(&mut whole.clone());
        assert_eq!(mended, Mended::default(), "nothing is wrong with it");
        for bit in 0..used * 8 {
            let mut bytes = flipped(&whole, bit);
            let mended = mend_segment(&mut bytes);
            assert!(bytes == whole && mended == Mended { bits: 1, ..Mended::default() }, "bit {bit}: {mended:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        let whole = segment();
        let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        for at in (SEGMENT_HEADER..used - 250).step_by(7) {
            let mut bytes = whole.clone();
            for damage in [0x5a, 0] {
                bytes[at..at + 40].fill(damage);
                let mended = mend_segment(&mut bytes);
                assert!(mended.lost > 0, "{at}");
                let again = mend_segment(&mut bytes.clone());
                assert_eq!(again, Mended::default(), "{at}: now all of it can be read");
                bytes.clone_from(&whole);
            }
        }
    }

    #[test]
    fn a_segment_without_its_header_is_known_by_its_messages() {
        let dir = tempfile::tempdir().unwrap();
        let whole = segment();
        for damaged in [SEGMENT_HEADER, 100, 400] {
            let mut bytes = [whole.clone(), whole.clone()].concat();
            put_header(&mut bytes[..SEGMENT_HEADER], 6 * 8192, 9 * 8192);
            bytes[8192..8192 + damaged].fill(0);
            std::fs::write(dir.path().join("db"), &bytes).unwrap();
            let file = File::options().read(true).write(true).open(dir.path().join("db")).unwrap();
            let mended = mend(&file, 8192).unwrap();
            assert_eq!((mended.headers, mended.is_short), (1, true), "{mended:?}");
            let read = std::fs::read(dir.path().join("db")).unwrap();
            assert!(header_fits(&read[8192..8192 + SEGMENT_HEADER]));
            let numbers = [0, 8192].map(|at| (sequence(&read[at + 4..at + 12]), sequence(&read[at + 12..at + 20])));
            assert_eq!(numbers, [(6 * 8192, 9 * 8192), (7 * 8192, 0)]);
            let again = mend(&file, 8192).unwrap();
            assert_eq!(again, Mended { is_short: true, ..Mended::default() }, "now all of it can be read");
            assert_eq!(segments(&file, 8192).unwrap(), BTreeMap::from([(6, 0), (7, 8192)]));
        }
    }
}
