//! The origin of a script: a folder, a file, an archive or a git repository.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use super::archive::{self, Format};
use super::git;
use crate::problem::Problem;

/// The kinds of origin, for error texts.
const KINDS: &str =
    "a folder, a .luau file, an archive (.tar.gz, .tgz, .zip) or a git address (https://…, ssh://…, git@…)";

/// The origin of a script. Its display form can be parsed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A folder or a .luau file.
    Here(PathBuf),
    Archive {
        path: PathBuf,
        format: Format,
        inside: Option<String>,
    },
    Git {
        address: String,
        reference: Option<String>,
        inside: Option<String>,
    },
}

/// The fetched files, and their commit if they come from git.
pub(super) struct Fetched {
    pub(super) root: PathBuf,
    pub(super) revision: Option<String>,
}

impl Origin {
    /// Parses an origin. A path is relative to the current folder and must exist.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        if text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(refused(text, &format!("an origin is {KINDS}")));
        }
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        match scheme {
            Some("https" | "ssh" | "file") => return parse_git(text),
            Some("http" | "git") => {
                return Err(refused(text, "the connection is not protected against changes; use https:// or ssh://"));
            }
            Some(_) => return Err(refused(text, &format!("an origin is {KINDS}"))),
            None if is_scp(text) => return parse_git(text),
            None => {}
        }
        let (path, inside) = match text.split_once("//") {
            Some((path, inside)) if Format::of(path).is_some() => (path, Some(inside)),
            _ => (text, None),
        };
        // Absolute, so that an update from another folder finds it.
        let real =
            Path::new(path).canonicalize().map_err(|cause| refused(text, &format!("{cause}; an origin is {KINDS}")))?;
        let inside = inside.map(|inside| parse_inside(text, inside)).transpose()?;
        let is_source = real.extension().is_some_and(|extension| extension == "luau");
        match Format::of(path) {
            _ if real.is_dir() => Ok(Self::Here(real)),
            Some(format) => Ok(Self::Archive { path: real, format, inside }),
            None if is_source => Ok(Self::Here(real)),
            None => Err(refused(text, &format!("an origin is {KINDS}"))),
        }
    }

    /// Fetches the files. Archives and repositories go into `into`, which must not exist yet.
    pub(super) fn fetch(&self, into: &Path) -> Result<Fetched, Problem> {
        match self {
            Self::Here(path) => {
                let target = into.parent().and_then(|folder| folder.canonicalize().ok());
                if target.is_some_and(|target| target.starts_with(path)) {
                    return Err(refused(&self.to_string(), "it contains the scripts folder; give the script's folder"));
                }
                Ok(Fetched { root: path.clone(), revision: None })
            }
            Self::Archive { path, format, inside } => {
                archive::unpack(path, *format, into)?;
                Ok(Fetched { root: self.within(into, inside.as_deref())?, revision: None })
            }
            Self::Git { address, reference, inside } => {
                let revision = git::clone(address, reference.as_deref(), into)?;
                Ok(Fetched { root: self.within(into, inside.as_deref())?, revision: Some(revision) })
            }
        }
    }

    /// Returns the default name of the script: the last component of the path, without extension.
    pub(super) fn name(&self) -> Option<&str> {
        let last = match self {
            Self::Here(path) => path.file_name()?.to_str()?,
            Self::Archive { inside: Some(inside), .. } | Self::Git { inside: Some(inside), .. } => {
                inside.rsplit('/').next()?
            }
            Self::Archive { path, .. } => path.file_name()?.to_str()?,
            Self::Git { address, .. } => address.trim_end_matches('/').rsplit(['/', ':']).next()?,
        };
        let endings = [".git", ".luau", ".tar.gz", ".tgz", ".zip"];
        Some(endings.iter().find_map(|ending| last.strip_suffix(ending)).unwrap_or(last))
    }

    /// Returns the folder or file `inside` the fetched files.
    ///
    /// Links are refused, since they could lead outside.
    fn within(&self, root: &Path, inside: Option<&str>) -> Result<PathBuf, Problem> {
        let mut path = root.to_owned();
        for part in inside.into_iter().flat_map(|inside| inside.split('/')) {
            path.push(part);
            let about = std::fs::symlink_metadata(&path)
                .map_err(|cause| refused(&self.to_string(), &format!("{part} in it: {cause}")))?;
            if about.is_symlink() {
                return Err(refused(&self.to_string(), &format!("{part} in it is a symbolic link")));
            }
        }
        Ok(path)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (inside, reference) = match self {
            Self::Here(path) => return write!(f, "{}", path.display()),
            Self::Archive { path, inside, .. } => {
                write!(f, "{}", path.display())?;
                (inside.as_ref(), None)
            }
            Self::Git { address, reference, inside } => {
                f.write_str(address)?;
                (inside.as_ref(), reference.as_ref())
            }
        };
        if let Some(inside) = inside {
            write!(f, "//{inside}")?;
        }
        match reference {
            Some(reference) => write!(f, "#{reference}"),
            None => Ok(()),
        }
    }
}

/// Whether this is an scp-like address, `git@host:path`.
fn is_scp(text: &str) -> bool {
    text.split_once(':').is_some_and(|(host, _)| host.contains('@') && !host.contains('/'))
}

/// Parses a git address, followed by `//folder` and `#reference` in either order.
fn parse_git(text: &str) -> Result<Origin, Problem> {
    let (front, reference) = text.split_once('#').map_or((text, None), |(front, behind)| (front, Some(behind)));
    let (address, mut inside) = split_inside(front);
    let reference = match reference.and_then(|behind| behind.split_once("//")) {
        Some((reference, folder)) => {
            inside = Some(folder);
            Some(reference)
        }
        None => reference,
    };
    if let Some((_, rest)) = address.split_once("://") {
        let host = rest.split('/').next().unwrap_or_default();
        let user = host.rsplit_once('@').map(|(user, _)| user);
        if user.is_some_and(|user| user.contains(':') || address.starts_with("https")) {
            // It would be written to scripts.lock and to every message.
            return Err(refused("this address", "it contains a password or token; configure those in git"));
        }
    }
    if let Some(reference) = reference
        && (reference.is_empty() || reference.starts_with('-') || reference.contains(char::is_whitespace))
    {
        return Err(refused(text, "a tag or branch must follow the #"));
    }
    if Format::of(address).is_some() {
        return Err(refused(text, "archives are not downloaded; download it yourself, and install the file"));
    }
    let inside = inside.map(|inside| parse_inside(text, inside)).transpose()?;
    Ok(Origin::Git { address: address.to_owned(), reference: reference.map(str::to_owned), inside })
}

/// Splits an address at the first `//` after the scheme.
fn split_inside(address: &str) -> (&str, Option<&str>) {
    let host = address.find("://").map_or(0, |at| at + "://".len());
    match address[host..].find("//") {
        Some(at) => (&address[..host + at], Some(&address[host + at + 2..])),
        None => (address, None),
    }
}

/// Parses a relative path without `..`, and normalises it.
fn parse_inside(origin: &str, inside: &str) -> Result<String, Problem> {
    let mut parts = Vec::new();
    for part in Path::new(inside).components() {
        match part {
            Component::Normal(part) => parts.extend(part.to_str()),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(refused(origin, "a folder inside of it must follow the //"));
            }
        }
    }
    if parts.is_empty() {
        return Err(refused(origin, "a folder inside of it must follow the //"));
    }
    Ok(parts.join("/"))
}

fn refused(origin: &str, why: &str) -> Problem {
    Problem::Other(format!("cannot install from {origin}: {why}"))
}
