//! The limit of open files of the process, which bounds the number of connections.

/// Raises the limit of open files to the hard limit, and returns the limit afterwards.
///
/// `None` if there is no limit or it is unknown.
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
            tracing::warn!("cannot raise the limit of open files above {current}: {error}");
            usize::try_from(current).ok()
        }
    }
}

/// Returns `None`: this platform has no such limit.
#[cfg(not(unix))]
pub const fn raise_file_limit() -> Option<usize> {
    None
}
