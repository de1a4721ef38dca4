//! When the certificate ends, and that its operator hears of it in time. Connections are served all the same: to refuse it is the
//! clients' business.

use std::time::Duration;

use base::Clock;
use time::{Duration as Span, OffsetDateTime};
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _};

use super::Tls;

/// From here on it is told. Renewals by programs come a month before the end, so this one has failed a while.
const SOON: Span = Span::days(14);
const DAY: Duration = Duration::from_hours(24);

impl Tls {
    /// When the certificate that new connections get ends; those that vouch for it are not looked at. `None` where that cannot be
    /// read.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        let pair = self.current.get();
        let (_, certificate) = X509Certificate::from_der(pair.certified.cert.first()?).ok()?;
        OffsetDateTime::from_unix_timestamp(certificate.validity().not_after.timestamp()).ok()
    }

    /// Tells in the log if the certificate has ended or ends soon.
    pub fn tell_expiry(&self, now: OffsetDateTime) {
        let Some(end) = self.expires_at() else {
            tracing::warn!("the TLS certificate does not say when it ends in a way that can be read");
            return;
        };
        let (left, ends) = (end - now, common::validate::format_moment(end));
        if left <= Span::ZERO {
            tracing::error!(%ends, "the TLS certificate has ended and clients refuse it; renew it, then send SIGHUP");
        } else if left < SOON {
            let days = left.whole_days();
            tracing::warn!(%ends, days, "the TLS certificate ends soon; renew it, then send SIGHUP");
        }
    }

    /// Tells it now, and every day.
    pub async fn watch_expiry(self, clock: Clock) {
        loop {
            self.tell_expiry(clock.now());
            tokio::time::sleep(DAY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs, io,
        sync::{Arc, Mutex},
    };

    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    /// A certificate that ends at this time, in a folder of its own.
    fn ending(at: OffsetDateTime) -> (Tls, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = at;
        let key = KeyPair::generate().unwrap();
        let (certificate_file, key_file) = (dir.path().join("certificate.pem"), dir.path().join("key.pem"));
        fs::write(&certificate_file, params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        (Tls::load(certificate_file, key_file).unwrap(), dir)
    }

    /// What is logged on this thread.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Told {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn l6_a_certificate_that_ends_is_told_two_weeks_before_every_day_and_louder_when_it_has() {
        const NOW: i64 = 1_800_000_000;
        let (clock, hand) = Clock::held(NOW);
        let end = clock.now() + Span::days(15);
        let (tls, _dir) = ending(end);
        assert_eq!(tls.expires_at(), Some(end));
        let told = Told::default();
        let writer = told.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        tokio::spawn(tls.watch_expiry(clock));
        let mut days = Vec::new();
        for _ in 0..18 {
            // It tells, and waits for the day to pass.
            tokio::task::yield_now().await;
            let said = String::from_utf8(std::mem::take(&mut *told.0.lock().unwrap())).unwrap();
            days.push(match said.trim() {
                "" => String::new(),
                said => {
                    assert!(said.contains("ends=2027-01-30T08:00:00"), "{said}");
                    let level = said.split_whitespace().nth(1).unwrap();
                    let left = said.split("days=").nth(1).unwrap_or_default();
                    format!("{level} {left}")
                }
            });
            hand.advance(DAY);
            tokio::time::advance(DAY).await;
        }
        let mut expected = vec![String::new(), String::new()];
        expected.extend((1..14).rev().map(|left| format!("WARN {left}")));
        expected.extend(["ERROR "; 3].map(str::to_owned));
        assert_eq!(days, expected);
    }
}
