//! Whether the terminal's ground is light: asked once, at the start, before any key is read. A terminal that says nothing has a dark one.

use std::{env, io::IsTerminal as _};
#[cfg(unix)]
use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    time::{Duration, Instant},
};

/// How long the answer may take.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_millis(100);
/// Which colour is the ground? Then: what are you? Every terminal answers the second question, so that nobody waits for one that
/// does not know the first.
#[cfg(unix)]
const QUESTION: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";

/// Whether the ground is light.
pub(crate) fn is_light() -> bool {
    // Where a terminal says it in the environment, nothing is asked; over a slow line the answer would come when keys are read.
    if let Ok(colours) = env::var("COLORFGBG") {
        let ground = colours.rsplit(';').next().and_then(|ground| ground.parse::<u8>().ok());
        return ground.is_some_and(|ground| ground == 7 || ground == 15);
    }
    if env::var_os("SSH_CONNECTION").is_some() || env::var_os("SSH_TTY").is_some() {
        return false;
    }
    std::io::stdout().is_terminal() && ask().is_some_and(|answer| says_light(&answer))
}

#[cfg(unix)]
fn ask() -> Option<String> {
    use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    enable_raw_mode().ok()?;
    let answer = terminal.write_all(QUESTION).ok().map(|()| listen(&mut terminal));
    drop(disable_raw_mode());
    answer
}

#[cfg(unix)]
fn listen(terminal: &mut File) -> String {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let (until, mut answer) = (Instant::now() + PATIENCE, Vec::new());
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let Ok(left) = Timespec::try_from(left) else { break };
        let mut asked = [PollFd::new(&*terminal, PollFlags::IN)];
        if !matches!(poll(&mut asked, Some(&left)), Ok(1..)) {
            break;
        }
        let mut piece = [0; 256];
        match terminal.read(&mut piece) {
            Ok(length @ 1..) => answer.extend_from_slice(&piece[..length]),
            _ => break,
        }
        // What the terminal is comes last, and ends so.
        if answer.ends_with(b"c") || answer.len() > 1024 {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[cfg(not(unix))]
fn ask() -> Option<String> {
    None
}

/// Reads `rgb:ffff/ffff/ffff`, with two or four digits for each part.
fn says_light(answer: &str) -> bool {
    let Some((_, colour)) = answer.split_once("rgb:") else { return false };
    let part = |part: &str| {
        let digits: String = part.chars().take_while(char::is_ascii_hexdigit).take(2).collect();
        u32::from_str_radix(&digits, 16).ok()
    };
    let parts: Vec<u32> = colour.splitn(3, '/').filter_map(part).collect();
    let [red, green, blue] = parts[..] else { return false };
    // The weights of the eye (ITU-R BT.601).
    299 * red + 587 * green + 114 * blue > 127_500
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ground_is_light_or_dark() {
        assert!(says_light("\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62c"));
        assert!(says_light("\x1b]11;rgb:fd/f6/e3\x07"));
        assert!(!says_light("\x1b]11;rgb:0000/0000/0000\x07"));
        assert!(!says_light("\x1b]11;rgb:0000/2b2b/3636\x07"));
        for nothing in ["", "\x1b[?62c", "rgb:zz", "rgb:ff/ff"] {
            assert!(!says_light(nothing), "{nothing}");
        }
    }
}
