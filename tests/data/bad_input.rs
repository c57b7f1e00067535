//! Wrong input is refused with the place, what was found, what is allowed, and the right exit code.

use crate::{Folder, options, prepare, prepare_with, read_for, refused};
use flate2::{Compression, write::GzEncoder};
use manytune::data::{self, ColumnRef, DataOptions, Prepared};
use manytune::error::Result;
use std::io::Write;
use std::time::Instant;

/// Loads and prepares a file of any name.
fn open(name: &str, bytes: impl AsRef<[u8]>) -> Result<Prepared> {
    let folder = Folder::new();
    let mut options = options(folder.write(name, bytes));
    if !name.ends_with("csv") {
        options.target = None;
    }
    data::prepare(&data::load(&options)?, &options, 0)
}

#[test]
fn files_that_are_not_there() {
    let folder = Folder::new();
    let path = folder.write("penguins.csv", "x,y\n1,a\n");
    let missing = data::load(&options(path.with_file_name("pengiuns.csv")));
    refused(missing, 3, &["pengiuns.csv", "no such file", "did you mean", "penguins.csv"]);
    refused(data::load(&options(path.with_file_name("nothing like it.csv"))), 3, &["no such file"]);
    refused(data::load(&options(path.parent().unwrap().into())), 3, &["is a folder"]);
}

#[test]
fn files_with_nothing_in_them() {
    refused(prepare(""), 3, &["table.csv", "is empty"]);
    refused(prepare("\n \n\r\n"), 3, &["table.csv", "empty"]);
    refused(prepare("\u{feff}"), 3, &["empty"]);
    refused(prepare("x,y\n"), 3, &["has a header and no rows"]);
    refused(prepare_with("x,y", |o| o.has_header = Some(true)), 3, &["no rows"]);
}

#[test]
fn ragged_rows() {
    refused(
        prepare("x,y\n1,a\n2\n3,b\n"),
        3,
        &["table.csv, line 3: 1 field\n", "allowed: 2, as in the header"],
    );
    refused(prepare("x,y\r\n1,a\r\n\r\n2,b,c\r\n"), 3, &["line 4: 3 fields", "separator"]);
}

#[test]
fn an_open_quote() {
    let error = prepare("x,y\n1,a\n2,\"b\n3,a\n4,b\n");
    refused(error, 3, &["line 3", "quote is opened in this record and never closed"]);
    refused(prepare("x,y\n1,a\n\"2,b"), 3, &["line 3", "never closed"]);
    // A quote within a bare cell opens nothing.
    let rows = "5\",a\n6\",b\n5\",a\n6\",b\n";
    assert_eq!(prepare(&format!("size,y\n{rows}")).unwrap().encoder.feature_names(), ["size=6\""]);
}

#[test]
fn bytes_that_are_not_text() {
    refused(prepare_with(b"x,y\n1,a\n2,\0b\n", |_| {}), 3, &["line 3, byte 3", "NUL"]);
    refused(prepare_with(b"x,y\n1,caf\xe9\n", |_| {}), 3, &["line 2, byte 6", "0xe9", "UTF-8"]);
    refused(prepare_with(b"\xff\xfex\0,\0y\0", |_| {}), 3, &["UTF-16"]);
    refused(open("t.csv", b"PAR1\x15\x04"), 3, &["Parquet"]);
    refused(open("t.csv", "{\"x\": 1}"), 3, &["is JSON", "csv"]);
    refused(open("t.xlsx", b"PK\x03\x04rest"), 3, &["spreadsheet", "csv"]);
    refused(open("t.csv", "<!DOCTYPE html>\n<p>404</p>\n"), 3, &["a web page"]);
    refused(open("t.csv", b"\x89PNG\r\n\x1a\n\0"), 3, &["an image"]);
    refused(open("t.csv.gz", b"\x01\xb1\xff"), 3, &["0xb1", "gzip of it, which this is not"]);
    prepare("\u{feff}x,y\r\n1,a\r\n2,b\r\n3,a\r\n4,b\r\n").unwrap();
}

/// A cell, a label or a name of 200 KB filled the terminal.
#[test]
fn a_huge_cell_is_cut_in_the_message() {
    let huge = "q".repeat(200_000);
    let rows = |cell: &str| {
        let row = |i: usize| {
            format!("{},{}\n", if i == 5 { cell.into() } else { i.to_string() }, ["a", "b"][i % 2])
        };
        (0..40).map(row).collect::<String>()
    };
    let trained = prepare(&format!("x,y\n{}", rows("0"))).unwrap().encoder;
    let of_new_rows = read_for(&trained, &format!("x\n{huge}\n")).and_then(|table| trained.encode(&table));
    for (result, says) in [
        (prepare(&format!("x,y\n{}", rows(&huge))).err(), "line 7, column \"x\""),
        (prepare(&format!("x,y\n{}", rows(&"9".repeat(200_000)))).err(), "infinite or too large"),
        (prepare(&format!("{huge},y\n{}", rows("abc"))).err(), "\"abc\" is not a number"),
        (prepare(&format!("x,y\n1,{huge}\n2,{huge}\n")).err(), "in all 2 rows"),
        (
            prepare_with(format!("x,y\n{}", rows("0")), |o| o.target = Some(huge.as_str().into())).err(),
            "no column",
        ),
        (open("t.libsvm", format!("a 1:{huge}\n")).err(), "not a finite number"),
        (of_new_rows.err(), "leave it empty"),
    ] {
        let error = result.expect("refused").to_string();
        assert!(error.contains(says) && error.contains("bytes)") && error.len() < 600, "{says}: {error}");
    }
}

#[test]
fn headers() {
    refused(prepare("x,y,x\n1,a,2\n3,b,4\n"), 3, &["line 1", "\"x\" twice: fields 1 and 3"]);
    refused(prepare("x,,y\n1,2,a\n3,4,b\n"), 3, &["line 1", "field 2 of the header has no name"]);
}

#[test]
fn targets() {
    refused(
        prepare_with("size,z\n1,a\n2,b\n", |o| o.target = Some("sise".into())),
        3,
        &["no column \"sise\"", "did you mean \"size\"?"],
    );
    let far = prepare_with("x,z\n1,a\n2,b\n", |o| o.target = Some("f".into()));
    assert_eq!(refused(far, 3, &["no column \"f\""]).advice, "", "no letter is a misspelling of another");
    refused(
        prepare_with("x,z\n1,a\n2,b\n", |o| o.target = None),
        2,
        &["no target is given", "x, z", "--target"],
    );
    refused(
        prepare_with("x,z\n1,a\n2,b\n", |o| o.target = Some(ColumnRef::Index(2))),
        3,
        &["no column 2", "0 to 1"],
    );
    refused(
        prepare_with("1,a\n2,b\n", |o| o.target = Some("label".into())),
        3,
        &["no column \"label\"", "has_header"],
    );
    refused(prepare("5.1 3.5 a\n4.9 3.0 b\n"), 3, &["no column \"y\"", "one column only", "semicolon"]);
    refused(prepare("x,y\n1,a\n2,a\n3,\n"), 3, &["column \"y\"", "\"a\" in all 2 rows"]);
    refused(prepare("x,y\n1,7\n2,7\n"), 3, &["\"7\" in all 2 rows"]);
    refused(
        prepare_with("x,y\n1,7\n2,7\n", |o| o.task = Some(data::TaskKind::Regression)),
        3,
        &["\"7\" in all 2 rows"],
    );
    refused(prepare("x,y\n1,\n2,NA\n"), 3, &["column \"y\"", "missing in every row"]);
    refused(prepare("x,y\n1,a\n2,b\n3,c\n"), 3, &["different in every one of 3 rows"]);
    refused(
        prepare_with("x,y\n1,a\n2,b\n", |o| o.ignore = vec!["y".into()]),
        2,
        &["data.ignore", "is the target"],
    );
    let labels = prepare_with("x,y\n1,1.5\n2,abc\n", |o| o.task = Some(data::TaskKind::Regression));
    refused(labels, 3, &["line 3, column \"y\"", "\"abc\" is not a number"]);
    refused(prepare("x,y\n1,1.5\n2,inf\n3,2\n"), 3, &["line 3, column \"y\"", "infinite"]);
}

#[test]
fn numbers() {
    let with = |cell: &str| {
        let rows: String = (0..30)
            .map(|row| {
                format!("{},{}\n", if row == 17 { cell.into() } else { row.to_string() }, ["a", "b"][row % 2])
            })
            .collect();
        prepare(&format!("x,y\n{rows}"))
    };
    refused(
        with("abc"),
        3,
        &["line 19, column \"x\"", "\"abc\" is not a number", "29 of 30", "missing = [\"abc\""],
    );
    refused(with("1,5"), 3, &["line 19: 3 fields"]);
    for infinite in ["inf", "-Infinity", "1e999", "1e200"] {
        refused(with(infinite), 3, &["line 19, column \"x\"", "infinite or too large"]);
    }
    with("nan").unwrap();
    let huge = prepare_with("x,y\n1e35,a\n2,b\n3,a\n4,b\n", |o| o.scale = data::Scale::None);
    refused(huge, 3, &["line 2, column \"x\"", "scale = \"standard\""]);
    prepare("x,y\n1e35,a\n2,b\n3,a\n4,b\n").unwrap();
}

#[test]
fn no_column_to_learn_from() {
    refused(prepare("y\na\nb\na\nb\n"), 3, &["no column is left to learn from"]);
    refused(prepare("x,y\n1,a\n1,b\n1,a\n1,b\n"), 3, &["no column is left", "column x has the same value"]);
}

/// In time linear in the cells: each of these takes well under a second even unoptimised.
#[test]
fn very_wide_tables_are_refused_at_once_or_read_fast() {
    let names = |count: usize| (0..count).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",");
    let row = |count: usize, value: usize| vec![value.to_string(); count].join(",");
    let start = Instant::now();
    let million = format!("{}\n{}\n", names(1_000_000), row(1_000_000, 1));
    refused(prepare(&million), 3, &["line 1", "1000000 columns", "at most 100000"]);
    let text = format!(
        "{},y\n{},a\n{},b\n{},a\n{},b\n",
        names(50_000),
        row(50_000, 1),
        row(50_000, 2),
        row(50_000, 3),
        row(50_000, 4)
    );
    let prepared = prepare(&text).unwrap();
    assert_eq!(prepared.dataset.feature_count, 50_000);
    // A hundred times what it takes; quadratic time would take a thousand times it.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn damaged_gzip() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all("x,y\n1,a\n2,b\n3,a\n4,b\n".repeat(50).as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    refused(open("t.csv.gz", &packed[..packed.len() - 6]), 3, &["t.csv.gz", "cut short"]);
    let mut broken = packed.clone();
    broken[15] ^= 0xff;
    refused(open("t.csv.gz", &broken), 3, &["t.csv.gz"]);
}

#[test]
fn idx_files() {
    let images = |sizes: &[u32], body: usize| {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
        bytes.resize(bytes.len() + body, 1);
        bytes
    };
    refused(
        open("a-idx3-ubyte", images(&[4, 2, 2], 15)),
        3,
        &["15 bytes", "16 bytes, for the sizes 4 × 2 × 2"],
    );
    refused(open("a-idx3-ubyte", images(&[4, 2, 2], 17)), 3, &["17 bytes"]);
    refused(open("a-idx3-ubyte", [0, 0, 8, 3, 0, 0]), 3, &["cut short within its header"]);
    refused(open("a-idx3-ubyte", [0, 0, 7, 3, 0, 0, 0, 1]), 3, &["begins with 00 00 07 03"]);
    refused(open("a-idx3-ubyte", images(&[u32::MAX; 8], 3)), 3, &["more than can be"]);
    refused(open("a-idx3-ubyte", images(&[0, u32::MAX, u32::MAX], 0)), 3, &["a-idx3-ubyte"]);
    refused(open("a-idx1-ubyte", images(&[4], 4)), 3, &["one dimension"]);
    refused(open("a-idx3-ubyte", images(&[4, 2, 2], 16)), 2, &["data.labels", "none are given"]);

    let folder = Folder::new();
    let path = folder.write("images", images(&[4, 2, 2], 16));
    let labels = folder.write("labels", images(&[3], 3));
    let options = DataOptions { target: None, labels: Some(labels), ..options(path) };
    refused(data::load(&options), 3, &["labels", "3 labels", "4, one for each row"]);
}

#[test]
fn libsvm_files() {
    let line = |line: &str| open("t.libsvm", format!("+1 1:1 2:2\n{line}\n"));
    refused(line("-1 0:1"), 3, &["line 2", "index 0", "count from 1", "zero_based=False"]);
    refused(line("-1 2:1 1:1"), 3, &["line 2", "index 1 comes after a larger one"]);
    refused(line("-1 2:1 2:1"), 3, &["line 2", "index 2 comes twice"]);
    refused(line("-1 a:1"), 3, &["line 2", "index \"a\""]);
    refused(line("-1 1:abc"), 3, &["line 2", "\"abc\" at index 1 is not a finite number"]);
    refused(line("-1 1:inf"), 3, &["\"inf\""]);
    refused(line("-1 1"), 3, &["line 2", "\"1\"", "index:value"]);
    refused(line("-1 4000000000:1"), 3, &["line 2", "index 4000000000", "1 to 100000"]);
    refused(line("-1 99999999999999999999999:1"), 3, &["line 2", "index"]);
    refused(
        line(&"-1 100000:1\n+1 3:1\n".repeat(6000)),
        3,
        &["12001 rows, with indices up to 100000", "densely"],
    );
    refused(open("t.libsvm", "+1\n-1\n"), 3, &["no rows with features"]);
    refused(open("t.libsvm", b"+1 1:\0\n"), 3, &["line 1"]);
}
