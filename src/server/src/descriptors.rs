//! How many files the process may have open, which bounds how many connections there can be.

/// Raises the limit of open files to the most that the process may have, and returns what it is then; `None` where there is
/// no such limit or it cannot be known.
#[cfg(unix)]
pub fn raise_file_limit() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current?;
    if maximum.is_some_and(|maximum| maximum <= current) {
        return usize::try_from(current).ok();
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => usize::try_from(maximum?).ok(),
        Err(error) => {
            tracing::warn!("the limit of open files stays at {current}: it cannot be raised: {error}");
            usize::try_from(current).ok()
        }
    }
}

/// There is no such limit here.
#[cfg(not(unix))]
pub const fn raise_file_limit() -> Option<usize> {
    None
}
