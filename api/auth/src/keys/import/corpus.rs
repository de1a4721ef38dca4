//! Both sides of what a key file can be: what is public in the forms that are found on disks, none of which is a secret, and secrets as people and programs
//! make them, all of which are.

use std::{fs, path::Path};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use super::{tests::openssl, *};

/// Digits of a number in base58.
fn base58(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut digits: Vec<u32> = Vec::new();
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += *digit << 8;
            *digit = carry % 58;
            carry /= 58;
        }
        while carry > 0 {
            digits.push(carry % 58);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).map(|_| '1');
    zeros.chain(digits.iter().rev().map(|digit| char::from(DIGITS[*digit as usize]))).collect()
}

fn packed(bytes: &[u8], form: &str) -> Vec<u8> {
    use std::io::Write as _;
    let level = flate2::Compression::best();
    match form {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "zlib" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        _ => {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// What is taken for a secret of what is none.
fn taken<'a>(files: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let is_taken = |bytes: &&[u8]| {
        read(bytes).is_ok_and(|keys| keys.iter().any(|found| matches!(found.key, ImportedKey::Secret(_))))
            && crate::secret::check_new("key", bytes.strip_suffix(b"\n").unwrap_or(bytes), Path::new("key")).is_ok()
    };
    files.into_iter().filter(is_taken).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
}

#[test]
fn t9_public_keys_are_told_in_cbor_in_other_alphabets_and_packed() {
    let folder = tempfile::tempdir().unwrap();
    let ssl = |arguments: &str| openssl(folder.path(), arguments);
    for (make, name) in [
        ("ecparam -name prime256v1 -genkey", "ec"),
        ("genpkey -algorithm ED25519", "ed"),
        ("genpkey -algorithm X25519", "x"),
    ] {
        ssl(&format!("{make} -out out"));
        fs::rename(folder.path().join("out"), folder.path().join(name)).unwrap();
    }
    let public = |name: &str| ssl(&format!("pkey -in {name} -pubout -outform DER -out out"));
    let pem = |name: &str| ssl(&format!("pkey -in {name} -pubout -out out"));
    let (ec, ed) = (public("ec"), public("ed"));
    let (point, edwards) = (&ec[ec.len() - 65..], &ed[ed.len() - 32..]);
    let cose_point =
        [&b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"[..], &point[1..33], b"\x22\x58\x20", &point[33..]].concat();
    let edwards_cose = [&b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"[..], edwards].concat();
    let cose_rsa =
        [&b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00"[..], &[0xc7; 256], b"\x21\x43\x01\x00\x01"].concat();
    let cose_text = [&b"\xa3\x01\x63OKP\x20\x67Ed25519\x21\x58\x20"[..], edwards].concat();
    // What a passkey sends: a digest of the name, flags, a counter, an id, and the key.
    let passkey = [&[0x49; 32][..], b"\x41\0\0\0\x05", &[0x11; 16], b"\0\x10", &[0x22; 16], &cose_point].concat();
    let attestation = [&b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58\xa4"[..], &passkey].concat();
    let mut files: Vec<Vec<u8>> = vec![attestation, [b"\x82", &cose_point[..], &edwards_cose[..]].concat()];
    files.extend([cose_point, edwards_cose, cose_rsa, cose_text, passkey]);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    for bytes in files.clone() {
        files.extend(
            [hex(&bytes), STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes), base58(&bytes)]
                .map(String::into_bytes),
        );
    }
    for name in ["ec", "ed", "x"] {
        let (der, pem) = (public(name), pem(name));
        for bytes in [&der, &pem] {
            files.extend(["gzip", "zlib", "deflate"].map(|form| packed(bytes, form)));
            files.extend(["gzip", "zlib", "deflate"].map(|form| STANDARD.encode(packed(bytes, form)).into_bytes()));
            files.extend(["gzip", "zlib"].map(|form| hex(&packed(bytes, form)).into_bytes()));
        }
        let turned = |c: char| match c {
            'a'..='m' | 'A'..='M' => char::from(c as u8 + 13),
            'n'..='z' | 'N'..='Z' => char::from(c as u8 - 13),
            other => other,
        };
        files.push(STANDARD.encode(&der).chars().map(turned).collect::<String>().into_bytes());
        files.extend([base58(&der), format!("z{}", base58(&der))].map(String::into_bytes));
        files.extend([der[3..].to_vec(), der[4..].to_vec()]);
        // Hyphens of typesetters, too few of them, or none.
        let text = String::from_utf8(pem).unwrap();
        for hyphens in ["\u{2014}", "\u{2013}\u{2013}", "--", "----", "- - - - -", "=====", ""] {
            files.push(text.replace("-----", hyphens).into_bytes());
            files.push(text.replace("-----", hyphens).replace('\n', " ").into_bytes());
        }
    }
    files.extend([ec[ec.len() - 67..].to_vec(), ec[ec.len() - 66..].to_vec()]);
    for (letter, codec, key) in
        [("z", &b"\xed\x01"[..], edwards), ("z", b"\xec\x01", edwards), ("z", b"\x80\x24", &ec[ec.len() - 33..])]
    {
        let bytes = [codec, key].concat();
        files.extend(
            [
                format!("{letter}{}", base58(&bytes)),
                format!("f{}", hex(&bytes)),
                format!("u{}", URL_SAFE_NO_PAD.encode(&bytes)),
            ]
            .map(String::into_bytes),
        );
    }
    let modulus = [&[0xc7; 255][..], b"\x01"].concat();
    for dns in [&b"\x03\x01\0\x01"[..], b"\x01\x03", b"\x01\x01\x03\x08\x03\x01\0\x01", b"\x01\0\x03\x05\x01\x03"] {
        let key = [dns, &modulus].concat();
        files.extend([STANDARD.encode(&key).into_bytes(), hex(&key).into_bytes(), key]);
    }
    let peer = [&b"\x08\x01\x12\x20"[..], edwards].concat();
    let named = base58(&[&b"\0\x24"[..], &peer].concat());
    assert!(named.starts_with("12D3KooW"));
    files.extend([named.into_bytes(), STANDARD.encode(&peer).into_bytes(), peer]);
    let contents = [
        base58(&[&b"\x12\x20"[..], edwards].concat()),
        format!("f{}", hex(&[&b"\x01\x70\x12\x20"[..], edwards].concat())),
    ];
    files.extend(contents.map(String::into_bytes));
    assert_eq!(taken(files.iter().map(Vec::as_slice)), [""; 0]);
}

/// Lines of other programs; `K` stands for 32 bytes in base64, `H` for them in hexadecimal, `D` for a digest of 20 bytes.
const LINES: &str = include_str!("corpus/lines_of_others.txt");

#[test]
fn t9_lines_of_other_programs_are_no_secrets() {
    let mut random = Random(11);
    let lines: Vec<String> = LINES
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let bytes = random.bytes(32);
            let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
            let colons = bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
            line.replace("%K%K", &STANDARD.encode([&bytes[..], &bytes[..]].concat()))
                .replace("%K", &STANDARD.encode(&bytes))
                .replace("%U", &URL_SAFE_NO_PAD.encode(&bytes))
                .replace("%H", &hex)
                .replace("%X", &hex.to_uppercase())
                .replace("%D", &hex[..40])
                .replace("%M", &colons[..47])
                .replace("%C", &colons)
                .replace("\\n", "\n")
                .replace("\\t", "\t")
        })
        .collect();
    assert!(lines.len() > 100, "{}", lines.len());
    assert_eq!(taken(lines.iter().map(String::as_bytes)), [""; 0]);
}

/// Random choices that are the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_be_bytes()[0]).collect()
    }

    fn text(&mut self, digits: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(digits[self.below(digits.len())])).collect()
    }
}

/// Secrets as people and programs make them: none is refused or changed. `COFFER_SECRETS` says how many.
#[test]
fn t9_random_secrets_of_every_kind_are_taken_byte_for_byte() {
    const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const SIGNS: &[u8] = b"!#$%&()*+,-./:;<=>?@[]^_{|}~";
    const WORDS: &str = include_str!("corpus/dice_words.txt");
    let words: Vec<&str> = WORDS.lines().collect();
    let count = std::env::var("COFFER_SECRETS").ok().and_then(|count| count.parse().ok()).unwrap_or(180);
    let mut random = Random(5);
    let mut refused = Vec::new();
    for n in 0..count {
        let length = [32, 32, 40, 48, 64, 64, 36, 45, 60][random.below(9)];
        let bytes = random.bytes(length);
        let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let base64 = STANDARD.encode(&bytes);
        let wrapped = base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect::<Vec<_>>();
        let printable: Vec<u8> = (b'!'..=b'~').collect();
        let chosen: Vec<&str> = (0..8).map(|_| words[random.below(words.len())]).collect();
        let uuid = |text: &str| {
            format!("{}-{}-4{}-a{}-{}", &text[..8], &text[8..12], &text[13..16], &text[17..20], &text[20..32])
        };
        let secret = match n % 18 {
            0 | 1 => bytes.clone(),
            2 | 3 => hex.clone().into_bytes(),
            4 => hex.to_uppercase().into_bytes(),
            5 | 6 => base64.clone().into_bytes(),
            7 => URL_SAFE_NO_PAD.encode(&bytes).into_bytes(),
            8 => wrapped.join("\n").into_bytes(),
            // As many bits as 32 bytes have.
            9 => random.text(ALPHANUMERIC, length.max(43)).into_bytes(),
            10 => random.text(&printable, length).into_bytes(),
            11 => random.text(&[ALPHANUMERIC, SIGNS].concat(), length).into_bytes(),
            12 => random.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 56).into_bytes(),
            13 => random.text(b"abcdefghijkmnopqrstuvwxyz23456789", 52).into_bytes(),
            14 => chosen.join(" ").into_bytes(),
            15 => chosen.join("-").into_bytes(),
            16 => format!("{}{}", uuid(&hex), uuid(&hex[32..])).into_bytes(),
            _ => format!("{}{}", chosen[..7].join("."), random.below(1000)).into_bytes(),
        };
        let shown = String::from_utf8_lossy(&secret).into_owned();
        // A newline at the end is the editor's.
        if secret.ends_with(b"\n") || secret.len() < 32 {
            continue;
        }
        match read(&secret) {
            Ok(keys) if matches!(&keys[..], [Imported { key: ImportedKey::Secret(taken), .. }] if **taken == secret) => {
            }
            Ok(_) => refused.push(format!("{shown}: it is taken for something else")),
            Err(why) => refused.push(format!("{shown}: it {why}")),
        }
        if let Err(why) = crate::secret::check_new("key", &secret, Path::new("key")) {
            refused.push(format!("{shown}: {why}"));
        }
    }
    assert_eq!(refused, [""; 0]);
}
