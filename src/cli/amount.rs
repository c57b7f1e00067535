//! Times and sizes as people type them: `90s`, `1h30m`, `512MiB`, `80%`.

use crate::engine::MemoryLimit;
use crate::error::{Error, Result};
use std::time::Duration;

/// A time, such as `90s`, `10m`, `2h` or `1h30m`.
pub fn duration(place: &str, text: &str) -> Result<Duration> {
    let refuse = || {
        Error::usage(place, format!("\"{text}\" is not a time"))
            .allowed("a time above 0, such as 90s, 10m, 2h, 1h30m")
    };
    let (mut seconds, mut rest) = (0.0, text.trim());
    while !rest.is_empty() {
        let (number, unit, after) = split(rest).ok_or_else(refuse)?;
        seconds += number
            * match unit {
                "s" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => 86400.0,
                _ => return Err(refuse()),
            };
        rest = after;
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(refuse()),
    }
}

/// A size, such as `512MiB` or `2GB`, or a share, such as `80%`.
pub fn memory(place: &str, text: &str) -> Result<MemoryLimit> {
    let refuse = || {
        Error::usage(place, format!("\"{text}\" is not a size"))
            .allowed("a size above 0, such as 512MiB or 4GB, or a share from 1% to 100%")
    };
    let (number, unit, after) = split(text.trim()).ok_or_else(refuse)?;
    let factor: f64 = match unit.to_lowercase().as_str() {
        "%" if (1.0..=100.0).contains(&number) && after.is_empty() => {
            return Ok(MemoryLimit::Percent(number));
        }
        "kib" => 1024.0,
        "mib" => 1024_f64.powi(2),
        "gib" => 1024_f64.powi(3),
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        _ => return Err(refuse()),
    };
    let bytes = number * factor;
    if !after.is_empty() || !(1.0..=1e18).contains(&bytes) {
        return Err(refuse());
    }
    Ok(MemoryLimit::Bytes(bytes as u64))
}

/// A number, the unit after it, and the rest.
fn split(text: &str) -> Option<(f64, &str, &str)> {
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(unit);
    let rest = rest.trim_start();
    let end = rest.find(|c: char| c.is_ascii_digit() || c.is_whitespace()).unwrap_or(rest.len());
    let (unit, after) = rest.split_at(end);
    Some((number.parse().ok()?, unit, after.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let cases = [
            ("90s", 90.0),
            ("10m", 600.0),
            ("2h", 7200.0),
            ("1h30m", 5400.0),
            ("1.5h", 5400.0),
            ("1h 5s", 3605.0),
        ];
        for (text, seconds) in cases {
            assert_eq!(duration("", text).unwrap().as_secs_f64(), seconds, "{text}");
        }
        for text in ["", "90", "s", "0s", "-5s", "5x", "5 parsecs", "1e9s", "..s", "999999999999999999999h"] {
            assert_eq!(duration("--time-limit", text).unwrap_err().exit_code(), 2, "{text}");
        }
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(memory("", "512MiB").unwrap(), MemoryLimit::Bytes(512 << 20));
        assert_eq!(memory("", "2 gb").unwrap(), MemoryLimit::Bytes(2_000_000_000));
        assert_eq!(memory("", "80%").unwrap(), MemoryLimit::Percent(80.0));
        for text in ["", "512", "0MiB", "0%", "120%", "-1GB", "1GB2", "lots", "80%%"] {
            assert_eq!(memory("--memory", text).unwrap_err().exit_code(), 2, "{text}");
        }
    }
}
