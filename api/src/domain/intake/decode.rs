//! Text in whatever encoding as UTF-8, a piece at a time. What the encoding does not have is refused, not replaced.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, Encoding};

use super::complaint;

const PIECE: usize = 64 * 1024;

/// Reads UTF-8, without a byte order mark.
pub(super) struct Decoded<R> {
    from: R,
    decoder: Decoder,
    name: &'static str,
    /// What was read and not decoded yet.
    input: Vec<u8>,
    taken: usize,
    /// What was decoded and not taken yet.
    output: Vec<u8>,
    given: usize,
    is_end: bool,
    is_over: bool,
}

impl<R: Read> Decoded<R> {
    /// Of bytes in this encoding.
    pub(super) fn new(from: R, encoding: &'static Encoding) -> Self {
        Self {
            from,
            decoder: encoding.new_decoder_with_bom_removal(),
            name: encoding.name(),
            input: Vec::new(),
            taken: 0,
            output: Vec::new(),
            given: 0,
            is_end: false,
            is_over: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.given == self.output.len() && !self.is_over {
            if self.taken == self.input.len() && !self.is_end {
                self.input.resize(PIECE, 0);
                let read = self.from.read(&mut self.input)?;
                self.input.truncate(read);
                (self.taken, self.is_end) = (0, read == 0);
            }
            self.output.resize(PIECE, 0);
            let (result, read, written, was_replaced) =
                self.decoder.decode_to_utf8(&self.input[self.taken..], &mut self.output, self.is_end);
            if was_replaced {
                return Err(complaint(format!(
                    "The file is not all {}: some bytes are no character there. Save it as UTF-8, or say encoding=….",
                    self.name
                )));
            }
            self.taken += read;
            self.output.truncate(written);
            self.given = 0;
            self.is_over = self.is_end && result == CoderResult::InputEmpty;
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let length = out.len().min(self.output.len() - self.given);
        out[..length].copy_from_slice(&self.output[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{UTF_8, UTF_16LE, WINDOWS_1252};

    use super::*;

    fn decoded(bytes: &[u8], encoding: &'static Encoding) -> io::Result<String> {
        let mut text = String::new();
        Decoded::new(bytes, encoding).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn text_is_read_across_pieces_and_bad_bytes_are_refused() {
        let long = "é€😀".repeat(30_000);
        assert_eq!(decoded(long.as_bytes(), UTF_8).unwrap(), long);
        assert_eq!(decoded(b"\xef\xbb\xbfa", UTF_8).unwrap(), "a");
        assert_eq!(decoded(b"\x80 \xe4", WINDOWS_1252).unwrap(), "€ ä");
        let utf_16: Vec<u8> = long.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&utf_16, UTF_16LE).unwrap(), long);
        assert!(decoded(b"a\xff", UTF_8).is_err());
        assert!(decoded(&utf_16[..utf_16.len() - 1], UTF_16LE).is_err());
        assert_eq!(decoded(b"", UTF_8).unwrap(), "");
    }
}
