//! The command line: parses, runs, and turns errors into exit codes.

use std::process::ExitCode;

fn main() -> ExitCode {
    match manytune::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            manytune::cli::output::report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
