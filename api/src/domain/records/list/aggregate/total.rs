//! Sums and means of decimals, exact to the last digit.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

/// Digits of a mean behind those that its values have.
const MEAN_DIGITS: u32 = 6;

/// The sum of numbers, and how many there are.
#[derive(Debug, Clone, Default)]
pub(super) struct Total {
    /// By the number of decimal places, so that no sum has to be shifted before it is told.
    by_scale: BTreeMap<u32, i128>,
    count: u64,
}

impl Total {
    /// One number more; `None` where there are too many digits.
    pub(super) fn add(&mut self, number: Decimal) -> Option<()> {
        let sum = self.by_scale.entry(number.scale()).or_default();
        *sum = sum.checked_add(number.mantissa())?;
        self.count += 1;
        Some(())
    }

    /// What another one has, too.
    pub(super) fn merge(&mut self, other: &Self) -> Option<()> {
        for (scale, more) in &other.by_scale {
            let sum = self.by_scale.entry(*scale).or_default();
            *sum = sum.checked_add(*more)?;
        }
        self.count += other.count;
        Some(())
    }

    /// Whether there are no numbers.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The sum in one number of places.
    fn sum(&self) -> Option<(i128, u32)> {
        let scale = self.by_scale.keys().next_back().copied().unwrap_or(0);
        let mut sum = 0_i128;
        for (of, part) in &self.by_scale {
            sum = sum.checked_add(part.checked_mul(10_i128.checked_pow(scale - of)?)?)?;
        }
        Some((sum, scale))
    }

    /// The sum, as decimals are written.
    pub(super) fn sum_text(&self) -> Option<String> {
        let (sum, scale) = self.sum()?;
        Some(written(sum, scale))
    }

    /// The mean, rounded half to even to six places more than its values have, without zeros at its end that say nothing.
    pub(super) fn mean_text(&self) -> Option<String> {
        let (sum, scale) = self.sum()?;
        let count = u128::from(self.count.max(1));
        let (mut mean, mut rest) = (sum.unsigned_abs() / count, sum.unsigned_abs() % count);
        for _ in 0..MEAN_DIGITS {
            mean = mean.checked_mul(10)?.checked_add(rest * 10 / count)?;
            rest = rest * 10 % count;
        }
        if rest * 2 > count || (rest * 2 == count && mean % 2 == 1) {
            mean += 1;
        }
        let mut places = scale + MEAN_DIGITS;
        while places > scale && mean % 10 == 0 {
            mean /= 10;
            places -= 1;
        }
        let mean = i128::try_from(mean).ok()?;
        Some(written(if sum < 0 { -mean } else { mean }, places))
    }
}

/// A number with so many decimal places.
fn written(number: i128, places: u32) -> String {
    let places = places as usize;
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let sign = if number < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(numbers: &[&str]) -> Total {
        let mut total = Total::default();
        for number in numbers {
            total.add(number.parse().unwrap()).unwrap();
        }
        total
    }

    #[test]
    fn sums_and_means_are_exact() {
        for (numbers, sum, mean) in [
            (&["0.10", "0.20"][..], "0.30", "0.15"),
            (&["1", "2"], "3", "1.5"),
            (&["1", "1", "2"], "4", "1.333333"),
            (&["-0.05", "0.04"], "-0.01", "-0.005"),
            (&["-0.05", "-0.04", "-0.01"], "-0.10", "-0.03333333"),
            (
                &["79228162514264337593543950335", "79228162514264337593543950335"],
                "158456325028528675187087900670",
                "79228162514264337593543950335",
            ),
            (
                &["0.0000000000000000000000000001", "1000"],
                "1000.0000000000000000000000000001",
                "500.00000000000000000000000000005",
            ),
            (&["2.50"], "2.50", "2.50"),
        ] {
            let total = total(numbers);
            assert_eq!(
                (total.sum_text().as_deref(), total.mean_text().as_deref()),
                (Some(sum), Some(mean)),
                "{numbers:?}"
            );
        }
        let mut both = total(&["1.5"]);
        both.merge(&total(&["2.25", "3"])).unwrap();
        assert_eq!((both.sum_text().unwrap(), both.mean_text().unwrap()), ("6.75".into(), "2.25".into()));
    }
}
