//! What is found in files that are named by mistake, and is no secret: keys and containers of other programs, tokens, documents. To take one for a secret would
//! often be to take what others know.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    UTF_8_MARK, Why,
    bytes::{is_compressed_point, is_pgp, is_pgp_message, is_point},
    hidden::{self, KeyForm},
    structures, texts,
};

/// What a text begins with, and what it is then.
const TEXTS: &[(&str, &str)] = &[
    (
        "ssh-",
        "is an SSH key, and everybody may know it if it is a public one; a private one is written anew with: ssh-keygen -p -m PKCS8 -f COPY",
    ),
    (
        "ecdsa-sha2-",
        "is a public key of SSH, which everybody may know; write it anew with: ssh-keygen -e -m PKCS8 -f FILE",
    ),
    ("sk-ssh-", "is a public key of SSH, which everybody may know"),
    ("sk-ecdsa-", "is a public key of SSH, which everybody may know"),
    (
        "PuTTY-User-Key-File-",
        "is a key of PuTTY; PuTTYgen exports it for OpenSSH, and ssh-keygen -p -m PKCS8 -f COPY writes that anew",
    ),
    ("age1", "is a public key of age, which everybody may know"),
    ("AGE-SECRET-KEY-", "is a key of age, which signs no tokens"),
    ("untrusted comment:", "is a key or signature of minisign or signify, which signs no tokens"),
    ("age-encryption.org/", "is encrypted; decrypt it first"),
    ("$ANSIBLE_VAULT;", "is encrypted; decrypt it first: ansible-vault decrypt FILE"),
    ("ENC[", "is encrypted; decrypt it first"),
    ("npub1", "is a public key of Nostr, which everybody may know"),
    ("did:", "is a name of somebody, which everybody may know"),
    ("xpub", "is a public key of a wallet, which everybody may know"),
    ("$argon2", "is a hash of a password, and no key"),
    ("Private-key-format:", "is a key of a name server, which signs no tokens"),
    ("(11:public-key", "is a key of GnuPG, which signs no tokens"),
    ("(11:private-key", "is a key of GnuPG, which signs no tokens"),
    ("(21:protected-private-key", "is a key of GnuPG, which signs no tokens"),
    ("#!/", "is a program, and no key"),
    ("Certificate:", structures::CERTIFICATE),
    ("RSA Public-Key:", "is a public key written out for people; name the file that it was made from"),
    ("Public-Key:", "is a public key written out for people; name the file that it was made from"),
    ("Private-Key:", "is a private key written out for people; name the file that it was made from"),
];

/// What a file begins with whose bytes are no text.
const MAGICS: &[(&[u8], &str)] = &[
    (
        b"\xfe\xed\xfe\xed",
        "is a Java key store; write the key in it anew with: keytool -importkeystore -deststoretype PKCS12",
    ),
    (
        b"\xce\xce\xce\xce",
        "is a Java key store; write the key in it anew with: keytool -importkeystore -deststoretype PKCS12",
    ),
    (b"openssh-key-v1\0", "is a private key of OpenSSH without its first and last lines"),
    // Hyphens, and what begins after them.
    (b"\x60\x60\x60\x60\x60\xc2\xc5\xc7\xc9\xd5", "is text in EBCDIC; save it as UTF-8 or ASCII"),
    (b"\0GITCRYPT", "is a file of git-crypt that was not unlocked"),
    (b"Salted__", "is encrypted; decrypt it first"),
    (b"age-encryption.org/", "is encrypted; decrypt it first"),
    (b"\x03\xd9\xa2\x9a", "is a database of passwords, and no key"),
    (b"LUKS\xba\xbe", "is a disk, and no key"),
    (b"SQLite format 3\0", "is a database, and no key"),
    (b"PK\x03\x04", "is an archive, and no key"),
    (b"!<arch>\n", "is an archive, and no key"),
    (b"Rar!\x1a\x07", "is an archive, and no key"),
    (b"7z\xbc\xaf\x27\x1c", "is an archive, and no key"),
    (b"MSCF\0\0\0\0", "is an archive, and no key"),
    (b"\xed\xab\xee\xdb", "is an archive, and no key"),
    (b"PACK\0\0\0\x02", "is an archive, and no key"),
    (b"DIRC\0\0\0", "is an archive, and no key"),
    (b"\x1f\x8b\x08", "is compressed; unpack it first"),
    (b"\xfd7zXZ\0", "is compressed; unpack it first"),
    (b"BZh91AY&SY", "is compressed; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is compressed; unpack it first"),
    (b"\x04\x22\x4d\x18", "is compressed; unpack it first"),
    (b"LZIP\x01", "is compressed; unpack it first"),
    (b"\0asm\x01\0\0\0", "is a program, and no key"),
    (b"\xca\xfe\xba\xbe", "is a program, and no key"),
    (b"\xcf\xfa\xed\xfe", "is a program, and no key"),
    (b"\xce\xfa\xed\xfe", "is a program, and no key"),
    (b"MZ\x90\0\x03\0", "is a program, and no key"),
    (b"\x7fELF", "is a program, and no key"),
    (b"%PDF-", "is a document, and no key"),
    (b"\x89PNG\r\n", "is a picture, and no key"),
    (b"\xff\xd8\xff", "is a picture, and no key"),
    (b"GIF87a", "is a picture, and no key"),
    (b"GIF89a", "is a picture, and no key"),
    (b"II*\0", "is a picture, and no key"),
    (b"MM\0*", "is a picture, and no key"),
    (b"\0\0\x01\0\x01\0", "is a picture, and no key"),
    (b"RIFF", "is a picture, a sound or a film, and no key"),
    (b"OggS\0", "is a sound or a film, and no key"),
    (b"fLaC\0", "is a sound, and no key"),
    (b"ID3\x03", "is a sound, and no key"),
    (b"ID3\x04", "is a sound, and no key"),
    (b"\x1a\x45\xdf\xa3", "is a film, and no key"),
    (b"wOFF", "is a font, and no key"),
    (b"wOF2", "is a font, and no key"),
    (b"OTTO\0", "is a font, and no key"),
    (b"\0\x01\0\0\0", "is a font, and no key"),
    (b"bplist00", "is a document, and no key"),
    (b"{\\rtf", "is a document, and no key"),
    (b"\xd0\xcf\x11\xe0", "is a document, and no key"),
    (b"== ed25519v1-", "is a key of Tor, which signs no tokens"),
    (b"\0\0\0\x01\0\0\0\x14", "is a key store of Bouncy Castle, and no key"),
    (b"\0\0\0\x02\0\0\0\x14", "is a key store of Bouncy Castle, and no key"),
    (b"\x05\x02\0\0\0", "is a key table of Kerberos, and no key that signs tokens"),
    (b"\x05\x04\0\x0c", "is a cache of tickets, and no key"),
    (b"kych\0\x01", "is a keychain, and no key"),
    (b"\0\x06\x15\x61", "is a database, and no key"),
    (b"\x61\x15\x06\0", "is a database, and no key"),
    (b"\x37\x7f\x06\x82", "is a part of a database, and no key"),
    (b"\x37\x7f\x06\x83", "is a part of a database, and no key"),
    (b"REDIS00", "is a database, and no key"),
    (b"PGDMP", "is a database, and no key"),
    (b"\xfebin", "is a part of a database, and no key"),
    (b"LPKSHHRH", "is a log, and no key"),
    (b"PAR1", "is a table, and no key"),
    (b"Obj\x01", "is a table, and no key"),
    (b"ARROW1\0\0", "is a table, and no key"),
    (b"\x89HDF\r\n", "is a table, and no key"),
    (b"\x93NUMPY", "is a table, and no key"),
    (b"\xac\xed\0\x05", "is data of a program, and no key"),
    (b"\x80\x04\x95", "is data of a program, and no key"),
    (b"\x80\x05\x95", "is data of a program, and no key"),
    (b"\xd4\xc3\xb2\xa1", "is a recording of a network, and no key"),
    (b"\xa1\xb2\xc3\xd4", "is a recording of a network, and no key"),
    (b"\x4d\x3c\xb2\xa1", "is a recording of a network, and no key"),
    (b"\xa1\xb2\x3c\x4d", "is a recording of a network, and no key"),
    (b"\x0a\x0d\x0d\x0a", "is a recording of a network, and no key"),
    (b"TZif", "is a time zone, and no key"),
    (b"\xde\x12\x04\x95", "is a translation, and no key"),
    (b"\x95\x04\x12\xde", "is a translation, and no key"),
    (b"fLaC", "is a sound, and no key"),
    (b"MThd\0\0", "is a sound, and no key"),
    (b"8BPS\0\x01", "is a picture, and no key"),
    (b"\0\0\0\x0cjP", "is a picture, and no key"),
    (b"\xff\x4f\xff\x51", "is a picture, and no key"),
    (b"\xff\x0a\xfa", "is a picture, and no key"),
    (b"gimp xcf", "is a picture, and no key"),
    (b"qoif\0", "is a picture, and no key"),
    (b"AT&TFORM", "is a document, and no key"),
    (b"%!PS-", "is a document, and no key"),
    (b"FLV\x01", "is a film, and no key"),
    (b"\x30\x26\xb2\x75\x8e\x66", "is a film, and no key"),
    (b"\0\0\x01\xba", "is a film, and no key"),
    (b"glTF\x02\0", "is a model, and no key"),
    (b"BLENDER", "is a model, and no key"),
    (b"dex\n03", "is a program, and no key"),
    (b"\x1bLua", "is a program, and no key"),
    (b"BC\xc0\xde", "is a program, and no key"),
    (b"FOR1", "is a program, and no key"),
    (b"Cr24\x03\0", "is an archive, and no key"),
    (b"xar!\0", "is an archive, and no key"),
    (b"hsqs", "is an archive, and no key"),
    (b"070701", "is an archive, and no key"),
    (b"070702", "is an archive, and no key"),
    (b"070707", "is an archive, and no key"),
    (b"QFI\xfb", "is a disk, and no key"),
    (b"KDMV", "is a disk, and no key"),
    (b"vhdxfile", "is a disk, and no key"),
    (b"conectix", "is a disk, and no key"),
    (b"\x1f\x9d\x90", "is compressed; unpack it first"),
    (b"\x5d\0\0\x80\0", "is compressed; unpack it first"),
    (b"\x37\xa4\x30\xec", "is a dictionary to unpack others by, and no key"),
    (b"\xd2\x84\x43\xa1\x01", "is a signed token (COSE), and no key"),
    (b"\0\x05\x16\x07", "is what a system keeps beside a file, and no key"),
    (b"\0\x05\x16\0", "is what a system keeps beside a file, and no key"),
];

/// The same, and how far into the file it stands.
const MAGICS_INSIDE: &[(usize, &[u8], &str)] = &[
    (8, b"KBXf", "is a key box of GnuPG, and no key that signs tokens; use RSA, P-256 or Ed25519"),
    (257, b"ustar", "is an archive, and no key"),
    (4, b"ftyp", "is a film or a picture, and no key"),
    // Of Python.
    (1, b"\x0c\r\n", "is a program, and no key"),
    (1, b"\r\r\n", "is a program, and no key"),
    (1, b"\x0e\r\n", "is a program, and no key"),
    (16, b"\xde\xc0\xef\xbe", "is a database, and no key"),
    (12, b"\x62\x31\x05\0", "is a database, and no key"),
    (12, b"\x61\x15\x06\0", "is a database, and no key"),
    (12, b"\0\x06\x15\x61", "is a database, and no key"),
];

/// What a file is, if it is known to be no secret.
pub(super) fn recognize(bytes: &[u8]) -> Option<Why> {
    if let Some((_, why)) = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some((*why).into());
    }
    let is_at = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(magic));
    if let Some((_, _, why)) = MAGICS_INSIDE.iter().find(|(at, magic, _)| is_at(*at, magic)) {
        return Some((*why).into());
    }
    if is_bitmap(bytes) {
        return Some("is a picture, and no key".into());
    }
    if is_key_blob(bytes) {
        return Some("is a key as Windows keeps it, and no key that is taken; write it anew as PEM".into());
    }
    if is_pgp_message(bytes) {
        return Some("is a message or a signature of PGP, and no key".into());
    }
    if is_pgp(bytes) {
        return Some("is a key ring of PGP, and no key that signs tokens; use RSA, P-256 or Ed25519".into());
    }
    if is_utf_16(bytes) {
        return Some("is text in UTF-16; save it as UTF-8 or ASCII".into());
    }
    if is_point(bytes) || is_compressed_point(bytes) {
        return Some("is a public key on a curve, as bytes".into());
    }
    let Ok(text) = str::from_utf8(bytes.strip_prefix(UTF_8_MARK).unwrap_or(bytes)) else { return hidden(bytes) };
    let text = text.trim();
    // In quotation marks or behind a comment as well.
    let line_starts = text.lines().map(|line| line.trim_start_matches(|c: char| " \t#/*>;-\"'`(".contains(c)));
    let mut starts = std::iter::once(text).chain(line_starts);
    if let Some(why) = starts.find_map(|line| TEXTS.iter().find(|(start, _)| line.starts_with(start))) {
        return Some(why.1.into());
    }
    if text.starts_with('<') && text.ends_with('>') {
        return Some("is a document, and no key".into());
    }
    if let Some(why) = texts::recognize(text) {
        // A key in it says more than that something stands before it.
        return hidden(bytes).or(Some(why.into()));
    }
    if has_token(text) {
        return Some("is a token, and whoever was sent it knows it".into());
    }
    hidden(bytes)
}

/// What is said of a key inside of something.
fn hidden(bytes: &[u8]) -> Option<Why> {
    Some(Why::from(match hidden::find(bytes)? {
        KeyForm::Der { encoded: true } => {
            "is a key or certificate in DER, encoded as text; put it between its -----BEGIN and -----END lines"
        }
        KeyForm::Text { encoded: true } => {
            "is a key or certificate that was encoded once more; decode it first: base64 -d FILE"
        }
        KeyForm::Der { encoded: false } => {
            "has a key or certificate in DER in it, and is not that alone, or not all of it; name a file with the key alone"
        }
        KeyForm::Text { encoded: false } => {
            "has a key or its fingerprint in it, among other things, and everybody may know it if it is a public one; name a file with the key alone"
        }
    }))
}

/// Whether a JWS or JWE in the compact form (RFC 7515 §7.1) is in a text, ours or anybody's.
fn has_token(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.split(|c| !is_part(c)).any(|word| {
        let mut parts = word.split('.');
        let head = parts.next().and_then(|head| URL_SAFE_NO_PAD.decode(head).ok());
        matches!(parts.count(), 2 | 4)
            && head
                .is_some_and(|head| serde_json::from_slice::<Value>(&head).is_ok_and(|head| head.get("alg").is_some()))
    })
}

/// Whether a text is written in two or four bytes for each letter, as some systems' shells write files.
fn is_utf_16(bytes: &[u8]) -> bool {
    let marked = bytes.strip_prefix(b"\xff\xfe").or_else(|| bytes.strip_prefix(b"\xfe\xff"));
    let bytes = marked.unwrap_or(bytes);
    let rest = bytes.iter().filter(|byte| **byte != 0);
    let zeros = bytes.len() - rest.clone().count();
    let is_ascii = rest.clone().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    // An editor may have put a byte behind it.
    is_ascii && zeros >= 16 && zeros + 1 >= rest.count()
}

/// Whether it is a BMP, which has no more of its own at its beginning than two letters and its size.
fn is_bitmap(bytes: &[u8]) -> bool {
    let size = bytes.get(2..6).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
    bytes.starts_with(b"BM") && size.and_then(|size| usize::try_from(size).ok()) == Some(bytes.len())
        || bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4])
}

/// Whether it is a key of `CryptoAPI` or CNG: what begins one names its kind, and its length in bits or bytes follows.
fn is_key_blob(bytes: &[u8]) -> bool {
    let is_kind = |kind: &[u8]| {
        matches!(
            kind,
            [b'R', b'S', b'A', b'1'..=b'3', _, _, 0, 0]
                | [b'E', b'C', b'S' | b'K', b'1'..=b'6', _, 0, 0, 0]
                | [b'D', b'S', b'S' | b'P', _, _, _, 0, 0]
        )
    };
    bytes.get(..8).is_some_and(is_kind)
        || bytes.windows(12).take(64).any(|w| matches!(w, [0, 0x24 | 0xa4, 0, 0, rest @ ..] if is_kind(rest)))
}
