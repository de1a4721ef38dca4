//! Decimals as bytes that sort like their values: sign, decimal exponent, digits, end.
//! Equal values have equal bytes, so the scale (`1.0` or `1.00`) is not kept.

use rust_decimal::Decimal;

const NEGATIVE: u8 = 1;
const ZERO: u8 = 2;
const POSITIVE: u8 = 3;

/// Exponents run from -27 to 29; this makes them positive.
const EXPONENT_OFFSET: i32 = 64;

pub(super) fn encode(value: Decimal, out: &mut Vec<u8>) {
    if value.is_zero() {
        out.push(ZERO);
        return;
    }
    let digits = value.mantissa().unsigned_abs().to_string();
    // The value is 0.digits × 10^exponent: the larger exponent is the larger number.
    let exponent = i32::try_from(digits.len()).unwrap_or(0) - value.scale().cast_signed();
    let sign = if value.is_sign_negative() { NEGATIVE } else { POSITIVE };
    out.push(sign);
    let start = out.len();
    out.push(u8::try_from(exponent + EXPONENT_OFFSET).unwrap_or(0));
    out.extend(digits.trim_end_matches('0').bytes().map(|digit| digit - b'0' + 1));
    out.push(0);
    if sign == NEGATIVE {
        // Turned over, the larger amount sorts first.
        out[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// Reads a decimal from the front of `bytes`; returns it with the number of bytes it took.
pub(super) fn decode(bytes: &[u8]) -> Option<(Decimal, usize)> {
    let (&sign, body) = bytes.split_first()?;
    let flip = match sign {
        ZERO => return Some((Decimal::ZERO, 1)),
        POSITIVE => 0x00,
        NEGATIVE => 0xFF,
        _ => return None,
    };
    let exponent = i32::from(body.first()? ^ flip) - EXPONENT_OFFSET;
    let end = 1 + body[1..].iter().position(|byte| byte ^ flip == 0)?;
    let mut mantissa: i128 = 0;
    for byte in &body[1..end] {
        let digit = i128::from((byte ^ flip) - 1);
        mantissa = mantissa.checked_mul(10)?.checked_add(digit)?;
    }
    let mut scale = i32::try_from(end - 1).ok()? - exponent;
    while scale < 0 {
        mantissa = mantissa.checked_mul(10)?;
        scale += 1;
    }
    let mantissa = if sign == NEGATIVE { -mantissa } else { mantissa };
    let value = Decimal::try_from_i128_with_scale(mantissa, u32::try_from(scale).ok()?).ok()?;
    Some((value, 1 + end + 1))
}
