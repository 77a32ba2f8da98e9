//! Takes the engine away from whoever happened to start it.

/// Leaves the caller's session and terminal, and closes what it left open: a pipe that an engine
/// keeps open for hours keeps a shell waiting that has long read all there was.
pub fn detach() {
    // Fails for a process that leads its group, as one started by hand in a shell does; that shell
    // then keeps it, which is what was asked for.
    rustix::process::setsid().ok();
    for fd in inherited() {
        nix::unistd::close(fd).ok();
    }
}

/// Descriptors beyond the standard three that this process was started with. Called before it
/// opens any of its own.
fn inherited() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers.filter(|fd| *fd > 2).collect()
}
