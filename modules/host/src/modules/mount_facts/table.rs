//! The formats in which systems list mounts.

use playbook_api::{Map, map};

use crate::facts::hardware::unescape;

/// A line of such a list.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) fields: Map,
}

/// Parses a file in the first format that all of its lines have: vfstab, mnttab, or fstab, which is also that of
/// /proc/mounts.
pub(crate) fn of_file(text: &str) -> Vec<Line> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let lines: Vec<(&str, Vec<&str>)> = lines.map(|line| (line, line.split_whitespace().collect())).collect();
    // An mnttab differs from an fstab by the time of the mount.
    let timed = lines.iter().any(|(_, words)| words.get(4).is_some_and(|time| time.len() == 10));
    let all = |form: fn(&[&str]) -> Option<Map>| -> Option<Vec<Line>> {
        let line =
            |(text, words): &(&str, Vec<&str>)| Some(Line { text: (*text).to_owned(), fields: form(words)? });
        lines.iter().map(line).collect()
    };
    all(vfstab).or_else(|| all(mnttab).filter(|_| timed)).or_else(|| all(fstab)).unwrap_or_default()
}

fn vfstab(words: &[&str]) -> Option<Map> {
    let [device, fsck, mount, kind, pass, at_boot, options, ..] = words else { return None };
    let mut fields = map! {
        "device" => *device, "device_to_fsck" => *fsck, "mount" => *mount, "fstype" => *kind,
        "passno" => *pass, "mount_at_boot" => *at_boot, "options" => *options,
    };
    if let Ok(pass) = pass.parse::<i64>() {
        fields.insert("passno".into(), pass.into());
    }
    Some(fields)
}

fn mnttab(words: &[&str]) -> Option<Map> {
    let [device, mount, kind, options, time, ..] = words else { return None };
    Some(map! {
        "device" => *device, "mount" => *mount, "fstype" => *kind, "options" => *options,
        "time" => time.parse::<i64>().ok()?,
    })
}

fn fstab(words: &[&str]) -> Option<Map> {
    let [device, mount, kind, options, numbers @ ..] = words else { return None };
    let mut fields = map! {
        "device" => unescape(device), "mount" => unescape(mount), "fstype" => unescape(kind),
        "options" => unescape(options),
    };
    for (name, number) in ["dump", "passno"].into_iter().zip(numbers) {
        fields.insert(name.into(), number.parse::<i64>().ok()?.into());
    }
    Some(fields)
}

/// Parses the output of the program `mount` on Linux or BSD. Returns `None` for other formats.
pub(crate) fn of_program(text: &str) -> Vec<Line> {
    // macOS also prints lines of another kind.
    let lines = || text.lines().filter(|line| !line.starts_with("map "));
    let all = |form: fn(&str) -> Option<Map>| -> Option<Vec<Line>> {
        lines().map(|line| Some(Line { text: line.to_owned(), fields: form(line)? })).collect()
    };
    all(linux).or_else(|| all(bsd)).unwrap_or_default()
}

fn linux(line: &str) -> Option<Map> {
    let (device, rest) = line.split_once(" on ")?;
    let (mount, rest) = rest.split_once(" type ")?;
    let (kind, options) = rest.strip_suffix(')')?.split_once(" (")?;
    let words = [device, mount, kind];
    words
        .iter()
        .all(|word| !word.contains(char::is_whitespace))
        .then(|| map! { "device" => device, "mount" => mount, "fstype" => kind, "options" => options })
}

fn bsd(line: &str) -> Option<Map> {
    let (device, rest) = line.split_once(" on ")?;
    let (mount, about) = rest.strip_suffix(')')?.split_once(" (")?;
    let (kind, options) =
        about.split_once(',').map_or((about, None), |(kind, more)| (kind, Some(more.trim())));
    let mut fields = map! { "device" => device, "mount" => mount, "fstype" => kind.trim() };
    if let Some(options) = options {
        fields.insert("options".into(), options.into());
    }
    [device, mount].iter().all(|word| !word.contains(char::is_whitespace)).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(line: &Line, name: &str) -> String {
        line.fields.get(name).map(|value| value.to_text().into_owned()).unwrap_or_default()
    }

    #[test]
    fn files_of_three_systems() {
        let fstab =
            of_file("# a comment\nUUID=5f /my\\040disk ext4 defaults 0 2\nproc /proc proc defaults\n");
        assert_eq!(fstab.len(), 2);
        assert_eq!((field(&fstab[0], "mount"), field(&fstab[0], "passno")), ("/my disk".into(), "2".into()));
        assert!(fstab[1].fields.get("dump").is_none());

        let vfstab = of_file("/dev/dsk/c0 /dev/rdsk/c0 /usr ufs 1 no logging\nfd - /dev/fd fd - no -\n");
        assert_eq!((field(&vfstab[0], "mount"), field(&vfstab[1], "passno")), ("/usr".into(), "-".into()));

        let mnttab = of_file("/dev/dsk/c0 /usr ufs rw,dev=1 1469648720\n");
        assert_eq!(field(&mnttab[0], "time"), "1469648720");
        assert!(of_file("\text3\n\text2\nnodev proc\n").is_empty());
    }

    #[test]
    fn what_mount_prints() {
        let linux = of_program("/dev/vda on / type ext4 (rw,relatime)\nproc on /proc type proc (rw)\n");
        assert_eq!(
            (field(&linux[0], "fstype"), field(&linux[0], "options")),
            ("ext4".into(), "rw,relatime".into())
        );
        let bsd = of_program("/dev/ada0p2 on / (ufs, local, soft-updates)\ndevfs on /dev (devfs)\n");
        assert_eq!(
            (field(&bsd[0], "fstype"), field(&bsd[0], "options")),
            ("ufs".into(), "local, soft-updates".into())
        );
        assert_eq!(field(&bsd[1], "fstype"), "devfs");
        assert!(of_program("what is this\n").is_empty());
    }
}
