//! Mending a damaged log, in a copy of it. sled's recovery leaves out the rest of a segment, or of the log, behind a message whose checksum
//! does not fit. A flipped bit can be found by the checksum and flipped back. A message that cannot be read is replaced by one that can
//! be passed over: then what it was about is unreadable, and nothing else.
//!
//! The log of sled 0.34: segments of one size, each with a header of 20 bytes (checksum, sequence number, last stable sequence number)
//! and messages (checksum, kind, length, number of the segment, number of the page, body). The checksums are CRC-32.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

const SEGMENT_HEADER: usize = 20;
/// No message begins in the last bytes of a segment.
const MESSAGE_HEADER: usize = 32;

/// Kinds of messages.
const CANCELED: u8 = 1;
const CAP: u8 = 2;
const LAST_KIND: u8 = 11;
/// A page, and a change of a page.
const NODE: u8 = 8;
const LINK: u8 = 10;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mended {
    /// Bits that were flipped back.
    pub bits: u64,
    /// Messages that are lost.
    pub lost: u64,
}

/// Mends a database file.
pub(super) fn mend(file: &File, segment: usize) -> io::Result<Mended> {
    let mut mended = Mended::default();
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut buffer = vec![0; segment];
    for begin in (0..length).step_by(segment) {
        let bytes = &mut buffer[..segment.min(length - begin)];
        file.read_exact_at(bytes, begin as u64)?;
        if bytes.len() < SEGMENT_HEADER + MESSAGE_HEADER || bytes[..SEGMENT_HEADER].iter().all(|byte| *byte == 0) {
            continue;
        }
        let before = mended;
        mend_segment(bytes, segment, &mut mended);
        if mended != before {
            file.write_all_at(bytes, begin as u64)?;
        }
    }
    Ok(mended)
}

fn mend_segment(bytes: &mut [u8], segment: usize, mended: &mut Mended) {
    let header = &mut bytes[..SEGMENT_HEADER];
    if !header_fits(header) {
        let Some(bit) = (0..SEGMENT_HEADER * 8).find(|bit| header_fits(&flipped(header, *bit))) else { return };
        flip(header, bit);
        mended.bits += 1;
    }
    let sequence = number(&header[4..12]) ^ 0x7fff_ffff_ffff_ffff;
    let of_segment = sequence / segment as u64;
    let mut at = SEGMENT_HEADER;
    while at + MESSAGE_HEADER <= bytes.len() {
        if let Some(message) = Message::at(bytes, at).filter(|message| message.fits(bytes, at, of_segment)) {
            if message.kind == CAP {
                return;
            }
            at += message.length();
            continue;
        }
        // Behind the end of what was written there are zeros, or what an earlier use of the segment left.
        let is_end = bytes[at..at + MESSAGE_HEADER].iter().all(|byte| *byte == 0);
        if is_end || Message::at(bytes, at).is_some_and(|message| message.is_whole(bytes, at)) {
            return;
        }
        if flip_back(bytes, at, of_segment) {
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
        let (body, of_segment, _page) = (next()?, next()?, next()?);
        let body = usize::try_from(body).ok()?;
        let fits = (CANCELED..=LAST_KIND).contains(&kind) && body <= head.len() - used;
        fits.then_some(Message { crc, kind, body, of_segment, head: used })
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
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
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
        let mut bytes = vec![0; 4];
        bytes.extend(((7_u64 * 8192) ^ 0x7fff_ffff_ffff_ffff).to_le_bytes());
        bytes.extend((8_u64 ^ 0x7fff_ffff_ffff_ffff).to_le_bytes());
        let crc = crc32fast::hash(&bytes[4..]) ^ u32::MAX;
        bytes[..4].copy_from_slice(&crc.to_le_bytes());
        for n in 0..8 {
            bytes.extend(message(NODE + 2 * (n % 2), 7, &vec![n; 20 * usize::from(n)]));
        }
        bytes.resize(8192, 0);
        bytes
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
        let mut mended = Mended::default();
        mend_segment(&mut whole.clone(), 8192, &mut mended);
        assert_eq!(mended, Mended::default(), "nothing is wrong with it");
        for bit in 0..used * 8 {
            let mut bytes = flipped(&whole, bit);
            let mut mended = Mended::default();
            mend_segment(&mut bytes, 8192, &mut mended);
            assert!(bytes == whole && mended == Mended { bits: 1, lost: 0 }, "bit {bit}: {mended:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        let whole = segment();
        let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        for at in (SEGMENT_HEADER..used - 250).step_by(7) {
            let mut bytes = whole.clone();
            bytes[at..at + 40].fill(0x5a);
            let mut mended = Mended::default();
            mend_segment(&mut bytes, 8192, &mut mended);
            assert!(mended.lost > 0, "{at}");
            let mut again = Mended::default();
            mend_segment(&mut bytes.clone(), 8192, &mut again);
            assert_eq!(again, Mended::default(), "{at}: now all of it can be read");
        }
    }
}
