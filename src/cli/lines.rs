//! Standard input line by line, read by a thread of its own, so that whoever waits for a line can do
//! something else meanwhile, and be interrupted.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Lines read ahead at most.
const MOST_AHEAD: usize = 1024;
/// Bytes of a line at most: an input without line breaks does not fill the memory.
const MOST_BYTES: usize = 1 << 20;

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// A line that is not blank, and its number from 1.
    Line(u64, Vec<u8>),
    /// A line of more bytes than any that makes sense.
    TooLong(u64),
    /// The input cannot be read any more.
    Broken(io::Error),
    /// The input has ended.
    End,
    /// Nothing within the time.
    Nothing,
}

/// The lines of standard input.
pub struct Lines(Receiver<Next>);

impl Lines {
    /// Begins to read.
    pub fn of_stdin() -> Self {
        let (sender, receiver) = sync_channel(MOST_AHEAD);
        std::thread::spawn(move || send_all(&mut io::stdin().lock(), &sender));
        Self(receiver)
    }

    /// The next line, waited for at most so long.
    pub fn next(&self, wait: Duration) -> Next {
        match self.0.recv_timeout(wait) {
            Ok(next) => next,
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }
}

/// Reads to the end of the input, to what cannot be read, or to where nobody listens any more.
fn send_all(input: &mut impl BufRead, sender: &SyncSender<Next>) {
    let mut number = 0;
    loop {
        number += 1;
        let mut line = Vec::new();
        let next = match io::Read::take(&mut *input, MOST_BYTES as u64).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(MOST_BYTES) if !line.ends_with(b"\n") => Next::TooLong(number),
            Ok(_) if line.iter().all(u8::is_ascii_whitespace) => continue,
            Ok(_) => Next::Line(number, line),
            Err(error) => Next::Broken(error),
        };
        let is_last = !matches!(next, Next::Line(..));
        if sender.send(next).is_err() || is_last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Vec<Next> {
        let (sender, receiver) = sync_channel(MOST_AHEAD);
        send_all(&mut io::Cursor::new(input), &sender);
        drop(sender);
        receiver.iter().collect()
    }

    #[test]
    fn lines_are_numbered_and_blank_ones_left_out() {
        let found = read(b"a\n\n \r\nb\nwithout a break");
        let lines: Vec<(u64, &[u8])> = found
            .iter()
            .map(|next| match next {
                Next::Line(number, line) => (*number, line.as_slice()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(lines, [(1, &b"a\n"[..]), (4, b"b\n"), (5, b"without a break")]);
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let found = read(&vec![b'x'; 3 * MOST_BYTES]);
        assert!(matches!(found[..], [Next::TooLong(1)]), "{found:?}");
    }
}
