//! The same program under the name that makes it a git subcommand: `git wt list`.

fn main() -> std::process::ExitCode {
    wt::cli::main()
}
