//! What is in a folder of the controller that is to be copied.

use std::collections::HashSet;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Each list holds where something is (of a link: what it says), and its place below the folder.
#[derive(Debug, Default)]
pub struct Tree {
    pub files: Vec<(PathBuf, PathBuf)>,
    pub folders: Vec<(PathBuf, PathBuf)>,
    pub links: Vec<(PathBuf, PathBuf)>,
}

/// A folder, whatever ways lead to it.
type Identity = (u64, u64);

impl Tree {
    /// Looks through a folder. Links are followed where asked, unless they lead nowhere or back to where they are.
    pub fn of(folder: &Path, base: &Path, follow: bool) -> io::Result<Tree> {
        let mut tree = Tree::default();
        let around = HashSet::from([identity(folder)?]);
        tree.walk(folder, base, follow, &around)?;
        Ok(tree)
    }

    fn walk(
        &mut self,
        folder: &Path,
        base: &Path,
        follow: bool,
        around: &HashSet<Identity>,
    ) -> io::Result<()> {
        let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
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
        // A folder's own files come before what lies deeper.
        for (path, place, id) in below {
            self.folders.push((path.clone(), place.clone()));
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
