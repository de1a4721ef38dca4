//! How hard answers are compressed.

use brotli::enc::BrotliEncoderParams;
use flate2::Compression;

/// Of gzip.
pub(super) const GZIP_LEVEL: Compression = Compression::new(3);
const BROTLI_QUALITY: i32 = 3;

/// Of Brotli, for about so many bytes.
pub(super) fn brotli_parameters(size_hint: usize) -> BrotliEncoderParams {
    BrotliEncoderParams { quality: BROTLI_QUALITY, lgwin: 18, size_hint, ..BrotliEncoderParams::default() }
}
