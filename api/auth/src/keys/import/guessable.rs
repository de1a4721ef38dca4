//! Private keys that anyone can guess, and public ones whose private half anyone can compute. What is too easy for a secret is too easy for the number that a
//! private key is; of RSA the two primes and their product are looked at as well.

use num_bigint::BigUint;

use super::Why;
use crate::secret::weakness;

/// The order of P-256's group: the number of a key is below it (SEC 2 §2.4.2).
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// Bits that a number of 256 lacks only where somebody chose it.
const BITS_LACKING: u64 = 64;
/// The smallest exponent that is taken (FIPS 186-5, appendix A.1.1).
const EXPONENT: u32 = 65_537;
/// The primes of a key differ in one of their first so many bits (FIPS 186-5, appendix A.1.3).
const DIFFERENT_BITS: u64 = 100;
/// Steps from the root of a product, in which primes that are near each other are found.
const STEPS: u32 = 100;
/// A factor below this is found by trying.
const SMALL_FACTORS: u32 = 10_000;
/// By these is told what a chip's library made, whose primes are `k * M + 65537^a mod M` with the product `M` of small primes (CVE-2017-15361).
const PRINT_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

const GUESSED: &str = "is a private key that anyone can guess";
const COMPUTED: &str = "is an RSA key whose private half anyone can compute";
const MAKE: &str = "make one with: openssl genpkey -algorithm ed25519 -out FILE";
const MAKE_RSA: &str = "make one with: openssl genrsa -out FILE 3072";

/// Refuses the seed of a key on Curve25519.
pub(super) fn seed(seed: &[u8]) -> Result<(), Why> {
    let lacks = |bytes: &[u8]| BigUint::from_bytes_be(bytes).bits() + BITS_LACKING <= 256;
    let backwards: Vec<u8> = seed.iter().rev().copied().collect();
    if lacks(seed) || lacks(&backwards) { Err(guessed("its number is small")) } else { text(seed) }
}

/// Refuses the number of a key on P-256.
pub(super) fn scalar(number: &[u8]) -> Result<(), Why> {
    let d = BigUint::from_bytes_be(number);
    let rest = BigUint::from_bytes_be(&P256_ORDER) - &d;
    if d.bits().min(rest.bits()) + BITS_LACKING <= 256 {
        return Err(guessed("its number is small"));
    }
    text(number)
}

/// Refuses what would be refused as a secret, and every text: there are few among random bytes.
fn text(bytes: &[u8]) -> Result<(), Why> {
    match weakness(bytes) {
        Some(why) => Err(guessed(&format!("its number {why}"))),
        None if bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) => Err(guessed("its number is a text")),
        None => Ok(()),
    }
}

fn guessed(why: &str) -> Why {
    format!("{GUESSED}, since {why}; {MAKE}").into()
}

/// Refuses the primes of an RSA key.
pub(super) fn primes(p: &[u8], q: &[u8]) -> Result<(), Why> {
    let [p, q] = [p, q].map(BigUint::from_bytes_be);
    let bits = p.bits().max(q.bits());
    let difference = if p > q { &p - &q } else { &q - &p };
    if p.bits() != q.bits() {
        return Err(computed("its primes are not of one length"));
    }
    if difference.bits() + DIFFERENT_BITS <= bits {
        return Err(computed("its primes are near each other"));
    }
    Ok(())
}

/// Refuses modulus and exponent of an RSA key.
pub(super) fn modulus(n: &[u8], e: &[u8]) -> Result<(), Why> {
    let [n, e] = [n, e].map(BigUint::from_bytes_be);
    if !e.bit(0) || e < EXPONENT.into() || e >= n {
        return Err(format!(
            "is an RSA key with a public exponent that is not taken; odd ones from {EXPONENT} on are, and {MAKE_RSA}"
        )
        .into());
    }
    if is_of_two_near(&n) {
        return Err(computed("its primes are near each other"));
    }
    let is_divisible = (3..SMALL_FACTORS).step_by(2).any(|factor| &n % factor == 0_u32.into());
    if !n.bit(0) || is_divisible {
        return Err(computed("its modulus has a small factor"));
    }
    if is_of_the_chip(&n) {
        return Err(computed("it was made by a library that chose few primes (CVE-2017-15361)"));
    }
    Ok(())
}

/// Refuses a modulus that is a prime. It takes some hundredths of a second, and a quarter of one for the longest keys; where the primes are known there is
/// nothing to find out.
pub(super) fn prime(n: &[u8]) -> Result<(), Why> {
    let (n, two) = (BigUint::from_bytes_be(n), BigUint::from(2_u32));
    // Fermat: of a product of two primes this holds by an accident that nobody has met.
    if two.modpow(&(&n - 1_u32), &n) == 1_u32.into() {
        return Err(computed("its modulus is a prime"));
    }
    Ok(())
}

fn computed(why: &str) -> Why {
    format!("{COMPUTED}, since {why}; {MAKE_RSA}").into()
}

/// Whether it is a square, or the product of two numbers near its root (Fermat's way).
fn is_of_two_near(n: &BigUint) -> bool {
    let root = n.sqrt();
    if &root * &root == *n {
        return true;
    }
    let begin = root + 1_u32;
    (0..STEPS).any(|step| {
        let middle = &begin + step;
        is_square(&(&middle * &middle - n))
    })
}

/// Taking a root is slow, and of a number that is no square the rest by a small one mostly says so.
fn is_square(number: &BigUint) -> bool {
    let may_be = [64_u32, 63, 65, 11, 17, 19, 23, 29, 31].into_iter().all(|by| {
        let rest = u32::try_from(number % by).unwrap_or_default();
        (0..by).any(|root| root * root % by == rest)
    });
    may_be && {
        let root = number.sqrt();
        &root * &root == *number
    }
}

fn is_of_the_chip(n: &BigUint) -> bool {
    PRINT_PRIMES.iter().all(|prime| {
        let rest = u32::try_from(n % *prime).unwrap_or_default();
        let powers = std::iter::successors(Some(1), |power| Some(power * (EXPONENT % prime) % prime));
        let prime = usize::try_from(*prime).unwrap_or_default();
        powers.take(prime).any(|power| power == rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Vec<u8> {
        BigUint::parse_bytes(text.as_bytes(), 16).unwrap().to_bytes_be()
    }

    #[test]
    fn t9_numbers_that_somebody_chose_are_refused() {
        let one = [&[0; 31][..], &[1]].concat();
        let last: Vec<u8> = {
            let mut order = P256_ORDER;
            order[31] -= 1;
            order.to_vec()
        };
        let counting: Vec<u8> = (0..32).collect();
        let password = number("5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8");
        let random = number("9f017be255c813aa904d62f7380cdb2176b45e891fe033ca47956ad802bd712e");
        for bytes in
            [&one, &last, &counting, &password, &b"seven otters mend a kite at 5 pm".to_vec(), &[7; 32].to_vec()]
        {
            assert!(scalar(bytes).is_err(), "{bytes:x?}");
        }
        for bytes in [&one, &counting, &password, &b"this is my very secret key 12345".to_vec(), &[0xff; 32].to_vec()] {
            assert!(seed(bytes).is_err(), "{bytes:x?}");
        }
        assert_eq!((scalar(&random), seed(&random)), (Ok(()), Ok(())));
    }

    #[test]
    fn t9_products_that_anyone_can_take_apart_are_refused() {
        // 2^521 - 1, 2^607 - 1 and 2^1279 - 1 are primes.
        let prime = |power: u32| (BigUint::from(1_u32) << power) - 1_u32;
        let [a, b, c] = [521, 607, 1279].map(prime);
        let exponent = [1, 0, 1];
        for (n, why) in [
            (&c * &c, "near"),
            (&c * (&c + 2_u32), "near"),
            (c.clone(), "prime"),
            (&a * &b * 3_u32, "small factor"),
            (&a * &b * 2_u32, "small factor"),
        ] {
            let bytes = n.to_bytes_be();
            let refused = modulus(&bytes, &exponent).and_then(|()| super::prime(&bytes)).unwrap_err();
            assert!(refused.contains(why), "{refused} for {why}");
        }
        let good = (&a * &c).to_bytes_be();
        assert_eq!(modulus(&good, &exponent).and_then(|()| super::prime(&good)), Ok(()));
        for e in [&[0][..], &[1], &[3], &[1, 0, 0], &[17]] {
            assert!(modulus(&(&a * &c).to_bytes_be(), e).unwrap_err().contains("exponent"));
        }
        assert!(primes(&a.to_bytes_be(), &b.to_bytes_be()).unwrap_err().contains("length"));
        let near = (&c - 2_u32).to_bytes_be();
        assert!(primes(&c.to_bytes_be(), &near).unwrap_err().contains("near"));
    }

    #[test]
    fn t9_what_the_chips_library_made_is_told_by_its_rests() {
        // Any power of 65537 has the rests that such products have.
        let print = BigUint::from(EXPONENT).pow(130);
        assert!(is_of_the_chip(&print) && !is_of_the_chip(&(print + 2_u32)));
    }
}
