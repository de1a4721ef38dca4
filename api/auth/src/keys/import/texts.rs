//! Texts that are no secret, by what stands in them: settings with a name before the value, sentences, tokens and keys of services, hashes and checksums,
//! records of other programs. What is asked is something that no random text has, so that none is refused by mistake.

use aws_lc_rs::digest::{SHA3_256, SHA256, SHA512_256, digest};

use super::{alphabets, lines};

/// What tokens and keys of services begin with, by which they and scanners of secrets know them.
const SERVICES: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glrt-",
    "glsa_",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxs-",
    "xoxe.",
    "xapp-",
    "tskey-",
    "sk-ant-",
    "sk-proj-",
    "sk_live_",
    "sk_test_",
    "pk_live_",
    "pk_test_",
    "rk_live_",
    "whsec_",
    "hvs.",
    "hvb.",
    "dop_v1_",
    "doo_v1_",
    "npm_",
    "pypi-",
    "dckr_pat_",
    "shpat_",
    "shpss_",
    "lin_api_",
    "figd_",
    "sntrys_",
    "rubygems_",
    "ops_ey",
    "AKIA",
    "ASIA",
    "AIzaSy",
    "ya29.",
    "FwoGZXIvYXdz",
    "EAACEdEose",
    "MDAxY2xvY2F0aW9u",
    "gAAAAAB",
    "gAAAAAC",
    "hf_",
    "nvapi-",
    "rpa_",
    "secret-token:",
    "SG.",
];
/// What else begins a text, in lower case, and what it is then.
const BEGINNINGS: &[(&str, &str)] = &[
    ("v=dkim1", "is a record of a name server, which everybody may know"),
    ("@microsoft.keyvault", TEMPLATE),
    ("vault:", TEMPLATE),
    ("ref+", TEMPLATE),
    ("secretref:", TEMPLATE),
    ("awskms:", TEMPLATE),
    ("gcpkms:", TEMPLATE),
    ("ssm:", TEMPLATE),
    ("file:", TEMPLATE),
    ("env:", TEMPLATE),
    ("keyring:", TEMPLATE),
    ("{ssha", HASH),
    ("{sha", HASH),
    ("{crypt}", HASH),
    ("{md5}", HASH),
    ("pbkdf2_sha", HASH),
    ("pbkdf2:", HASH),
    ("scrypt:", HASH),
    ("bcrypt_sha256$", HASH),
    ("scram-sha-", HASH),
    ("grub.pbkdf2", HASH),
    ("sha256-", HASH),
    ("sha384-", HASH),
    ("sha512-", HASH),
    ("sha1:", HASH),
    ("md5:", HASH),
];
const TEMPLATE: &str = "says where a secret is, and is not what is there";
const HASH: &str = "is a hash or a checksum, which others may know, and no key";
const SETTING: &str = "is a setting with a name before its value; put the value alone into the file";
const PUBLIC: &str = "is a public key or an address made of one, which everybody may know";
const SENTENCE: &str = "is a sentence, which others could guess";
/// Words without a meaning of their own, of several languages: a sentence has them, and a list of random words has hardly any.
const SMALL_WORDS: &str = " a am an and are as at be been but by can do for from had has have he her his i if in into is it its me my no not of on or our she so that the \
                           their them there they this to us was we were when which will with you your \
                           der die das den dem des ein eine einen ist sind und oder nicht mit von zu im auf für ich du er sie es wir ihr mein dein aber \
                           le la les un une des du de et est sont ne pas que qui dans pour avec sur je tu il elle nous vous mon \
                           el los las una y es son no que en por con para yo mi tu su del al se lo \
                           il lo gli che non di da per con sono mi ti ";

/// What a text is, where it is no secret; `text` without spaces around it.
pub(super) fn recognize(text: &str) -> Option<&'static str> {
    if text.is_empty() || text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    if SERVICES.iter().any(|beginning| text.starts_with(beginning)) || is_paseto(text) || is_signed_json(text) {
        return Some("is a token or a key of some service, and whoever was sent it knows it");
    }
    let lower = text.to_lowercase();
    if let Some((_, why)) = BEGINNINGS.iter().find(|(beginning, _)| lower.starts_with(beginning)) {
        return Some(why);
    }
    if has_record(text) {
        return Some("is a record of a name server, which everybody may know");
    }
    if is_hash(text) {
        return Some(HASH);
    }
    if text.lines().any(is_setting) {
        return Some(SETTING);
    }
    if is_checked(text) || has_rsa_numbers(text) {
        return Some(PUBLIC);
    }
    if is_of_a_person(text) {
        return Some("is a number or an address of somebody, which others know");
    }
    if let Some(why) = lines::recognize(text) {
        return Some(why);
    }
    is_sentence(&lower).then_some(SENTENCE)
}

/// Whether a name stands before a value, as in settings of programs: `PublicKey = …`, `SECRET=…`, `checksum: "…"`.
fn is_setting(line: &str) -> bool {
    let line = line.trim_start_matches(['#', '/', '-', '*', ' ', '\t']).trim();
    let line = line.trim_start_matches("export ").trim_start_matches("set ");
    let Some(at) = line.find(['=', ':']) else { return false };
    let (name, value) = (&line[..at], &line[at + 1..]);
    let is_spaced = name.ends_with(' ') || value.starts_with(' ');
    let name = name.trim().trim_matches(['"', '\'']);
    let letters = || name.chars().filter(char::is_ascii_alphabetic);
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c));
    // Without a space only what is plainly a word: a random text may have such a sign in it.
    let is_word = name.len() >= 3
        && letters().count() == name.chars().filter(|c| !"_-.".contains(*c)).count()
        && (letters().all(|c| c.is_ascii_lowercase()) || letters().all(|c| c.is_ascii_uppercase()));
    let has_value = value.trim_matches(['=', ' ', '"', '\'', '\t']).len() >= 4;
    let is_plain = line[at..].starts_with('=') && is_word;
    // As programs show files: where they are, and what is there.
    let is_place = name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    has_value && is_name && !is_place && letters().count() > 0 && (is_plain || is_spaced)
}

/// Whether it is a token of PASETO or one of its keys (PASERK).
fn is_paseto(text: &str) -> bool {
    let mut parts = text.split('.');
    let is_version = parts.next().is_some_and(|version| {
        let mut letters = version.chars();
        matches!((letters.next(), letters.next(), letters.next()), (Some('k' | 'v'), Some('1'..='4'), None))
    });
    let is_kind = |kind: &str| kind.len() >= 3 && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_version && parts.next().is_some_and(is_kind)
}

/// Whether it is JSON with a signature behind it, as frameworks sign cookies: `eyJ….….…`, or compressed, with a point before it.
fn is_signed_json(text: &str) -> bool {
    let mut parts = text.trim_start_matches('.').split(['.', ':']);
    let head = parts.next().unwrap_or_default();
    let is_begun = head.starts_with("eyJ") || text.starts_with(".eJ");
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte))
    };
    let rest: Vec<&str> = parts.collect();
    is_begun && is_part(head) && matches!(rest.len(), 1..=3) && rest.into_iter().all(is_part)
}

/// Whether it is a line of a zone that holds a key.
fn has_record(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_kind = |word: &&str| {
        let kinds = [
            "DNSKEY",
            "CDNSKEY",
            "KEY",
            "DS",
            "CDS",
            "DLV",
            "TLSA",
            "SSHFP",
            "IPSECKEY",
            "SMIMEA",
            "OPENPGPKEY",
            "CERT",
            "RRSIG",
            "SIG",
            "NSEC3",
            "TSIG",
            "DHCID",
            "HIP",
            "ZONEMD",
            "RKEY",
        ];
        kinds.iter().any(|kind| kind.eq_ignore_ascii_case(word))
            || word.strip_prefix("TYPE").is_some_and(|number| number.parse::<u16>().is_ok())
    };
    let is_number = |word: &&&str| word.bytes().all(|byte| byte.is_ascii_digit()) || **word == "\\#";
    // What an owner or a class stands before says by itself what it is.
    let is_in_zone =
        |at: usize| at > 0 && (words[at - 1].eq_ignore_ascii_case("IN") || words[at - 1].parse::<u32>().is_ok());
    words.iter().enumerate().any(|(at, word)| {
        let numbers = words[at + 1..].iter().take(2).filter(is_number).count();
        is_kind(word)
            && words.len() > at + 2
            && (numbers > 0 && *word == word.to_uppercase() || numbers == 2 || is_in_zone(at))
    })
}

/// Whether it is what a program says of the content of a file or stores in place of a password.
fn is_hash(text: &str) -> bool {
    let is_digest = |word: &str| {
        matches!(word.len(), 32 | 40 | 56 | 64 | 96 | 128) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    // `<digest>  <file>`, and two commits.
    let is_told = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.len() > 1
            && words.iter().any(|word| is_digest(word.trim_start_matches('*')))
            && (!words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_hexdigit()))
                || words.iter().all(|word| word.len() == 40))
    };
    // `$6$salt$hash`, alone or behind a name and a colon.
    let is_crypted = |line: &str| {
        let start = line.find(":$").map_or(line, |at| &line[at + 1..]);
        let kind = start.strip_prefix('$').and_then(|rest| rest.split_once('$'));
        kind.is_some_and(|(kind, _)| {
            [
                "1", "2", "2a", "2b", "2x", "2y", "3", "5", "6", "7", "y", "gy", "sm3", "md5", "apr1", "sha1",
                "scrypt", "pbkdf2", "bcrypt",
            ]
            .contains(&kind)
                || kind.starts_with("argon2")
                || kind.starts_with("pbkdf2-")
        })
    };
    let is_weak = |line: &str| line.split_once(":{").is_some_and(|(_, rest)| rest.to_uppercase().starts_with("SHA}"));
    text.lines().any(|line| is_told(line) || is_crypted(line.trim()) || is_weak(line))
}

/// Whether digits at its end fit the rest, as addresses and public keys have them: base58 of wallets, bech32, base32 of NATS, Stellar and Tor.
fn is_checked(text: &str) -> bool {
    let onion = text.strip_suffix(".onion");
    let word = onion.unwrap_or(text);
    onion.is_some()
        || text.starts_with("z6Mk")
        || alphabets::is_multibase(text)
        || is_base58check(word)
        || is_bech32(word)
        || is_base32(word)
}

fn is_base58check(text: &str) -> bool {
    if !(32..=120).contains(&text.len()) {
        return false;
    }
    let bytes = alphabets::base58(text.as_bytes()).unwrap_or_default();
    let Some((content, check)) = bytes.split_last_chunk::<4>() else { return false };
    let twice = digest(&SHA256, digest(&SHA256, content).as_ref());
    twice.as_ref().starts_with(check)
}

fn is_bech32(text: &str) -> bool {
    const DIGITS: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let lower = text.to_ascii_lowercase();
    let Some((name, data)) = lower.rsplit_once('1') else { return false };
    if name.is_empty() || data.len() < 6 || !lower.is_ascii() {
        return false;
    }
    let values =
        data.chars().map(|c| DIGITS.find(c).and_then(|at| u32::try_from(at).ok())).collect::<Option<Vec<u32>>>();
    let Some(values) = values else { return false };
    let high = name.bytes().map(|byte| u32::from(byte >> 5));
    let low = name.bytes().map(|byte| u32::from(byte & 31));
    let all = high.chain([0]).chain(low).chain(values);
    let check = all.fold(1_u32, |check, value| {
        let top = check >> 25;
        let generators = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
        let next = (check & 0x01ff_ffff) << 5 ^ value;
        generators
            .iter()
            .enumerate()
            .fold(next, |next, (bit, generator)| if top >> bit & 1 == 1 { next ^ generator } else { next })
    });
    matches!(check, 1 | 0x2bc8_30a3)
}

fn is_base32(text: &str) -> bool {
    let bytes = alphabets::base32(text.as_bytes());
    // An account of Algorand: the digest's end is its check.
    if let (58, Some((key, check))) = (text.len(), bytes.split_last_chunk::<4>())
        && digest(&SHA512_256, key).as_ref().ends_with(check)
    {
        return true;
    }
    let Ok(bytes) = <[u8; 35]>::try_from(bytes.as_slice()) else { return false };
    if text.len() != 56 {
        return false;
    }
    let crc = bytes[..33].iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    });
    let onion = digest(&SHA3_256, &[&b".onion checksum"[..], &bytes[..32], &[3]].concat());
    crc.to_le_bytes() == bytes[33..] || bytes[34] == 3 && onion.as_ref()[..2] == bytes[32..34]
}

/// Whether the numbers of an RSA key are in it: a long one and the exponent that all have, in decimal, or in base64 with a sign between.
fn has_rsa_numbers(text: &str) -> bool {
    let numbers: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty()).collect();
    let is_decimal = numbers.iter().any(|number| number.len() >= 150)
        && numbers.iter().any(|number| ["65537", "17", "3", "37", "35"].contains(number));
    let is_digit = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
    let words: Vec<&str> = text.split(|c: char| !is_digit(c)).filter(|word| !word.is_empty()).collect();
    let is_exponent = |word: &&str| ["AQAB", "AQAB==", "AAEAAQ==", "AAEAAQ"].contains(word);
    let is_base64 = words.len() > 1 && words.iter().any(is_exponent);
    // As it is written out: a zero before a number whose first bit is set, and odd.
    let hex: Vec<&str> = text.split(|c: char| c == ':' || c.is_whitespace()).filter(|pair| !pair.is_empty()).collect();
    let is_pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_high = |pair: &str| u8::from_str_radix(pair, 16).is_ok_and(|byte| byte >= 0x80);
    let is_odd = |pair: &str| u8::from_str_radix(pair, 16).is_ok_and(|byte| byte & 1 == 1);
    let is_hex = matches!(hex.len(), 65 | 97 | 129 | 193 | 257 | 385 | 513 | 1025)
        && hex.iter().all(is_pair)
        && hex[0] == "00"
        && is_high(hex[1])
        && hex.last().is_some_and(|last| is_odd(last));
    is_decimal || is_base64 || is_hex
}

/// Whether it is addresses, telephone numbers or numbers of accounts.
fn is_of_a_person(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_mail = |word: &str| {
        word.split_once('@').is_some_and(|(name, host)| {
            let labels: Vec<&str> = host.split('.').collect();
            labels.len() > 1
                && labels.iter().all(|label| is_label(label))
                && labels
                    .last()
                    .is_some_and(|last| last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_lowercase()))
                && !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
        })
    };
    let is_phone = || {
        let digits = text.chars().filter(char::is_ascii_digit).count();
        text.starts_with('+') && text.chars().all(|c| c.is_ascii_digit() || "+-() .,;/\n".contains(c)) && digits >= 7
    };
    let words: Vec<&str> = text.split([' ', ',', ';', '\n']).filter(|word| !word.is_empty()).collect();
    is_phone()
        || words.iter().all(|word| is_mail(word))
        || words.iter().all(|word| is_iban(word))
        || is_iban(&text.replace(' ', ""))
}

/// ISO 13616: the number modulo 97, its first four signs put last, is one.
fn is_iban(word: &str) -> bool {
    let is_form = word.is_ascii()
        && (15..=34).contains(&word.len())
        && word.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
        && word.bytes().skip(2).take(2).all(|byte| byte.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !is_form {
        return false;
    }
    let turned = word.chars().skip(4).chain(word.chars().take(4));
    let remainder = turned.fold(0, |remainder, c| {
        let value = c.to_digit(36).unwrap_or_default();
        (remainder * if value > 9 { 100 } else { 10 } + value) % 97
    });
    remainder == 1
}

/// Whether it has the small words that sentences are held together by.
fn is_sentence(lower: &str) -> bool {
    let words: Vec<&str> =
        lower.split(|c: char| c.is_whitespace() || c == '-' || c == '_').filter(|word| !word.is_empty()).collect();
    let is_word = |word: &&str| {
        let letters = word.trim_matches(|c: char| ",.;:!?'\"()".contains(c));
        !letters.is_empty() && letters.chars().all(|c| c.is_alphabetic() || c == '\'') || word.parse::<u64>().is_ok()
    };
    let is_small = |word: &&str| {
        let word = word.trim_matches(|c: char| ",.;:!?'\"()".contains(c));
        SMALL_WORDS.contains(&format!(" {word} "))
    };
    let small = words.iter().filter(|word| is_small(word)).count();
    // Of words at random one in a hundred is small, and of a sentence every second one.
    words.len() >= 4 && words.iter().all(is_word) && small >= 3 && small * 5 >= words.len() * 2
}
