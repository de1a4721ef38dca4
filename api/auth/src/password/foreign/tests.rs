//! Hashes that Django 5.2.8 made of one password, and texts that are none.

use base::Entropy;

use super::*;
use crate::password::{Hasher, HasherSettings, Peppers, Verdict};

const PASSWORD: &str = "käse und brot 7";
const MADE_BY_DJANGO: [&str; 6] = [
    "pbkdf2_sha256$20000$vWyJVMRCuKTsbqdvSmmHk8$GrdJ/Aoaq8N5FiSQbOYaamdTa6a9jYlUKpsbmwwS7Uk=",
    "pbkdf2_sha1$20000$NC1WCkioQKOVHuUA1junxo$+8FRmELTLw1nAgSn7A7HTynaO5E=",
    "argon2$argon2id$v=19$m=102400,t=2,p=8$RndtZTFZMDNqZHJyblhJbXppc1ZUMA$APHHolKwqpWW1SnK+T6JeedejkjdauZivy/KGgZPRmI",
    "bcrypt_sha256$$2b$05$xPXUfv2A1VV3fbXRTKCrfeD..kHFdgwfdglH8RN2eD.HeNHCyXlTa",
    "bcrypt$$2b$05$rRfwY1hSkeHrzjonAylO5.C0hyPRe2ieprRheFk3/X2LcsLhVkyEa",
    "scrypt$16384$fgwkV4v5oSGnprz3n63WB2$8$5$u4b4slDoGKqP5Jc2Z2aqhI/aT2f/Yeq2gO/FrNReSE9v3nyyju188P2XL/ssbwuz1jYIyS8zSmDvhReaCSbI/w==",
];

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

#[tokio::test]
async fn hashes_of_django_are_compared_with_as_they_are() {
    let settings = HasherSettings { threads: 1, ..HasherSettings::default() };
    let hasher = Hasher::new(settings, Peppers::default(), Entropy::system()).unwrap();
    for made in MADE_BY_DJANGO {
        let hash = PasswordHash::from_foreign(made).unwrap();
        // Each is of another kind or of another cost than today's, and made anew.
        assert_eq!(hasher.verify(Some(&hash), password(PASSWORD)).await, Ok(Verdict::Right { rehash: true }), "{made}");
        for wrong in ["käse und brot 8", "", "KÄSE UND BROT 7"] {
            assert_eq!(hasher.verify(Some(&hash), password(wrong)).await, Ok(Verdict::Wrong), "{made}");
        }
    }
    // Without the name that Django puts before it, as other frameworks store it.
    let plain = PasswordHash::from_foreign(&MADE_BY_DJANGO[4]["bcrypt$".len()..]).unwrap();
    assert_eq!(hasher.verify(Some(&plain), password(PASSWORD)).await, Ok(Verdict::Right { rehash: true }));
    // Nothing is the password of somebody who has none.
    let none = PasswordHash::from_foreign("!VPEKMQB1aPrpTrxAjUZN2EVA4XT1pBo5ixYkySvu").unwrap();
    for guess in ["", "!", "VPEKMQB1aPrpTrxAjUZN2EVA4XT1pBo5ixYkySvu"] {
        assert_eq!(hasher.verify(Some(&none), password(guess)).await, Ok(Verdict::Wrong));
    }
}

#[test]
fn what_is_no_hash_or_too_dear_is_not_taken_over() {
    let dear = [
        "pbkdf2_sha256$4000000000$salt$GrdJ/Aoaq8N5FiSQbOYaamdTa6a9jYlUKpsbmwwS7Uk=",
        "scrypt$1048576$salt$8$1$GrdJ/Aoaq8N5FiSQbOYaamdTa6a9jYlUKpsbmwwS7Uk=",
        "scrypt$2$salt$1$100000$GrdJ/Aoaq8N5FiSQbOYaamdTa6a9jYlUKpsbmwwS7Uk=",
        "bcrypt$$2b$31$rRfwY1hSkeHrzjonAylO5.C0hyPRe2ieprRheFk3/X2LcsLhVkyEa",
        "argon2$argon2id$v=19$m=4194304,t=2,p=8$RndtZTFZMDNqZHJyblhJbXppc1ZUMA$APHHolKwqpWW1SnK+T6JeedejkjdauZivy/KGgZPRmI",
    ];
    for hash in dear {
        assert_eq!(PasswordHash::from_foreign(hash).err(), Some(ForeignError::TooDear), "{hash}");
    }
    let unknown = [
        "",
        "secret",
        "$",
        "$$$",
        "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
        "pbkdf2_sha256$0$salt$GrdJ/Aoaq8N5FiSQbOYaamdTa6a9jYlUKpsbmwwS7Uk=",
        "pbkdf2_sha256$-1$salt$GrdJ/Aoaq8N5FiSQbOYaamdTa6a9jYlUKpsbmwwS7Uk=",
        "pbkdf2_sha256$20000$salt$",
        "pbkdf2_sha256$20000$salt$AAAA",
        "pbkdf2_sha256$20000$salt$not base64",
        "pbkdf2_md5$20000$salt$GrdJ/Aoaq8N5FiSQbOYaamdTa6a9jYlUKpsbmwwS7Uk=",
        "scrypt$16383$salt$8$1$GrdJ/Aoaq8N5FiSQbOYaamdTa6a9jYlUKpsbmwwS7Uk=",
        "scrypt$16384$salt$0$1$GrdJ/Aoaq8N5FiSQbOYaamdTa6a9jYlUKpsbmwwS7Uk=",
        "bcrypt$$2b$05$short",
        "argon2$argon2i$v=19$m=102400,t=2,p=8$RndtZTFZMDNqZHJyblhJbXppc1ZUMA$APHHolKwqpWW1SnK+T6JeedejkjdauZivy/KGgZPRmI",
    ];
    for hash in unknown {
        assert_eq!(PasswordHash::from_foreign(hash).err(), Some(ForeignError::Unknown), "{hash}");
    }
}
