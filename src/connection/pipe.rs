//! Pipes to programs: reads with a timeout, and writes that fail if the program does not read its input.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// The size of the buffer for files that the kernel cannot copy to a pipe directly.
const BUFFER: usize = 64 << 10;

/// Makes a pipe. Returns the end to read from and the end to write to.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(nix::unistd::pipe2(OFlag::O_CLOEXEC)?)
}

/// Makes a pipe into a program. Returns the program's end and this process's end, for [`write_all`].
pub(crate) fn input_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (theirs, ours) = pipe()?;
    fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((theirs, ours))
}

/// Whether there is data or the end of the file within a time limit.
pub(crate) fn readable(file: &File, timeout: Duration) -> io::Result<bool> {
    any_readable([file], timeout).map(|[readable]| readable)
}

/// Returns which of several files have data, as soon as one has or the time limit is reached.
pub(crate) fn any_readable<const N: usize>(files: [&File; N], timeout: Duration) -> io::Result<[bool; N]> {
    let mut fds = files.map(|file| PollFd::new(file.as_fd(), PollFlags::POLLIN));
    match wait(&mut fds, timeout)? {
        true => Ok(fds.map(|fd| fd.any().unwrap_or(false))),
        false => Ok([false; N]),
    }
}

/// Whether a program accepts more input, or closes its end, within a time limit.
pub(crate) fn writable(file: BorrowedFd, timeout: Duration) -> io::Result<bool> {
    wait(&mut [PollFd::new(file, PollFlags::POLLOUT)], timeout)
}

fn wait(fds: &mut [PollFd], timeout: Duration) -> io::Result<bool> {
    // Rounded up: the last fraction of a millisecond must not be spent in a busy loop.
    let timeout = PollTimeout::try_from(timeout + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX);
    match poll(fds, timeout) {
        Ok(count) => Ok(count > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Waits until a program accepts more input.
///
/// # Errors
///
/// Fails with `TimedOut` if that takes longer than `silence`.
fn wait_for_room(file: &File, silence: Duration) -> io::Result<()> {
    let deadline = playbook_api::time::deadline(silence);
    loop {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        if writable(file.as_fd(), left)? {
            return Ok(());
        }
        if left.is_zero() {
            let message = format!("it has not read its input for {} seconds", silence.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
    }
}

/// Writes all bytes. Fails with `TimedOut` if the program reads nothing for the time `silence`.
pub(crate) fn write_all(mut file: &File, mut bytes: &[u8], silence: Duration) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => wait_for_room(file, silence)?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Writes a part of a file, copied by the kernel if possible. Returns the number of bytes that the file had. Fails
/// like [`write_all`].
pub(crate) fn write_file(
    to: &File,
    from: &File,
    offset: u64,
    count: usize,
    silence: Duration,
) -> io::Result<usize> {
    let Ok(start) = libc::off_t::try_from(offset) else { return Ok(0) };
    let mut at = start;
    loop {
        let done = usize::try_from(at - start).unwrap_or(count);
        if done >= count {
            return Ok(done);
        }
        // SAFETY: both descriptors are open for the call, and `at` is a valid place for the offset.
        let sent = unsafe { libc::sendfile(to.as_raw_fd(), from.as_raw_fd(), &raw mut at, count - done) };
        match Errno::result(sent) {
            Ok(0) => return Ok(done),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => wait_for_room(to, silence)?,
            Err(Errno::EINVAL | Errno::ENOSYS | Errno::EOVERFLOW) => {
                return copy(to, from, offset, done, count, silence);
            }
            Err(e) => return Err(e.into()),
        }
    }
}

/// Writes the rest of that part through a buffer, from the byte number `done` on.
fn copy(
    to: &File,
    from: &File,
    offset: u64,
    mut done: usize,
    count: usize,
    silence: Duration,
) -> io::Result<usize> {
    let mut buffer = vec![0; BUFFER.min(count - done)];
    while done < count {
        let wanted = buffer.len().min(count - done);
        let Some(room) = buffer.get_mut(..wanted) else { break };
        match from.read_at(room, offset + done as u64) {
            Ok(0) => break,
            Ok(read) => {
                write_all(to, room.get(..read).unwrap_or_default(), silence)?;
                done += read;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_reader_that_takes_nothing_is_given_up() {
        let (_reader, writer) = input_pipe().unwrap();
        let writer = File::from(writer);
        let error = write_all(&writer, &[0; 1 << 20], Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.to_string(), "it has not read its input for 1 seconds");
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 1 << 20]).unwrap();
        let error = write_file(&writer, &file, 0, 1 << 20, Duration::from_millis(200)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_file_arrives_whole_at_a_slow_reader() {
        let (reader, writer) = input_pipe().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..700_000_u32).map(|n| (n ^ (n >> 8)) as u8).collect();
        file.write_all(&content).unwrap();
        let slow = std::thread::spawn(move || {
            let mut all = Vec::new();
            let mut reader = File::from(reader);
            let mut piece = [0; 9_000];
            loop {
                std::thread::sleep(Duration::from_millis(2));
                match reader.read(&mut piece).unwrap() {
                    0 => return all,
                    count => all.extend_from_slice(&piece[..count]),
                }
            }
        });
        let writer = File::from(writer);
        // More is asked for than there is.
        let passed = write_file(&writer, &file, 1_000, 800_000, Duration::from_secs(5)).unwrap();
        assert_eq!(passed, 699_000);
        drop(writer);
        assert!(slow.join().unwrap() == content[1_000..]);
    }
}
