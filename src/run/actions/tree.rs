//! The content of a directory on the controller that is to be copied.

use std::collections::HashSet;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Each list holds pairs: the path of a file or directory, or the target of a link, and its path in the copy.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub files: Vec<(PathBuf, PathBuf)>,
    pub directories: Vec<(PathBuf, PathBuf)>,
    pub links: Vec<(PathBuf, PathBuf)>,
}

/// The identity of a directory, independent of the path that leads to it.
type Identity = (u64, u64);

impl Tree {
    /// Reads a directory. Links are followed if `follow` is set, unless they are broken or lead to a directory around them.
    pub(crate) fn of(directory: &Path, base: &Path, follow: bool) -> io::Result<Tree> {
        let mut tree = Tree::default();
        let around = HashSet::from([identity(directory)?]);
        tree.walk(directory, base, follow, &around)?;
        Ok(tree)
    }

    fn walk(
        &mut self,
        directory: &Path,
        base: &Path,
        follow: bool,
        around: &HashSet<Identity>,
    ) -> io::Result<()> {
        let mut entries = std::fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let mut below = Vec::new();
        for entry in entries {
            let (path, place) = (entry.path(), base.join(entry.file_name()));
            let link = entry.file_type()?.is_symlink();
            let id = path.is_dir().then(|| identity(&path)).transpose()?;
            match id {
                _ if link && (!follow || !path.exists()) => self.links.push((path.read_link()?, place)),
                Some(id) if link && around.contains(&id) => self.links.push((path.read_link()?, place)),
                Some(id) => below.push((path, place, id)),
                None => self.files.push((path, place)),
            }
        }
        // A directory's own files come before what lies deeper.
        for (path, place, id) in below {
            self.directories.push((path.clone(), place.clone()));
            let mut around = around.clone();
            around.insert(id);
            self.walk(&path, &place, follow, &around)?;
        }
        Ok(())
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(|stat| (stat.dev(), stat.ino()))
}
