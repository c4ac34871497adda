//! Differences between files, for `--diff`.

use playbook_api::Diff;

/// The maximum size of files that are compared line by line.
const LARGEST: usize = 104_448;

/// Returns the difference between two contents; for binary or large content, only a note.
pub(crate) fn texts(before: &[u8], after: &[u8], before_header: &str, after_header: &str) -> Diff {
    let skipped = |why: String| Diff { prepared: Some(why), ..Diff::default() };
    for (content, which) in [(before, "destination"), (after, "source")] {
        if content.len() > LARGEST {
            return skipped(format!("diff skipped: {which} file size is greater than {LARGEST}\n"));
        }
        if content.contains(&0) {
            return skipped(format!("diff skipped: {which} file appears to be binary\n"));
        }
    }
    let text = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
    let mut diff = Diff::text(text(before), text(after));
    let header = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (diff.before_header, diff.after_header) = (header(before_header), header(after_header));
    diff
}
