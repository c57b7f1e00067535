//! What the readers accept: separators, quotes, line ends, headers, gzip, sparse rows.

use crate::{Folder, options, prepare, prepare_with, refused};
use flate2::{Compression, write::GzEncoder};
use manytune::data::{self, ColumnRef, DataOptions, Encoder, Targets};
use proptest::prelude::*;
use std::io::Write;

/// Ten rows of a number and a label, with a separator and an end of line.
fn table(separator: &str, end: &str) -> String {
    let rows = (0..10).map(|row| format!("{}.5{separator}{}{end}", row * row, ["a", "b"][row % 2]));
    format!("x{separator}y{end}{}", rows.collect::<String>())
}

fn fingerprint(bytes: impl AsRef<[u8]>) -> String {
    prepare_with(bytes, |_| {}).unwrap_or_else(|error| panic!("{error}")).fingerprint
}

#[test]
fn separators_line_ends_marks_and_blank_lines_make_no_difference() {
    let plain = fingerprint(table(",", "\n"));
    for (what, text) in [
        ("tabs", table("\t", "\n")),
        ("semicolons", table(";", "\n")),
        ("CRLF", table(",", "\r\n")),
        ("a byte order mark", format!("\u{feff}{}", table(",", "\r\n"))),
        ("no last line end", table(",", "\n").trim_end().to_string()),
        ("blank lines", table(",", "\n").replace("4.5,a\n", "4.5,a\n\n   \n\r\n")),
        ("spaces around cells", table(" , ", " \n")),
        ("quotes", table(",", "\n").replace("a\n", "\"a\"\n")),
    ] {
        assert_eq!(fingerprint(text), plain, "{what}");
    }
}

#[test]
fn gzip_is_told_by_content_not_by_name() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(table(",", "\n").as_bytes()).unwrap();
    assert_eq!(fingerprint(packed.finish().unwrap()), fingerprint(table(",", "\n")));
}

#[test]
fn quoted_fields_hold_separators_quotes_and_line_ends() {
    let text = "name,x,y\n\"Smith, J\",1,\"say \"\"a\"\"\"\n\"two\nlines\",2,b\n\"Smith, J\",3,\"say \"\"a\"\"\"\n\
                plain,4,b\n";
    let prepared = prepare(text).unwrap();
    assert_eq!(prepared.encoder.class_names(), ["b", "say \"a\""]);
    let names = prepared.encoder.feature_names();
    assert_eq!(names[..3], ["name=Smith, J", "name=plain", "name=two\nlines"]);
}

#[test]
fn lines_are_counted_through_quotes_blank_lines_and_crlf() {
    for end in ["\n", "\r\n"] {
        let rows = (0..30).map(|row| format!("{row},\"two{end}lines\",{}{end}{end}", ["a", "b"][row % 2]));
        let mut text = format!("x,note,y{end}{}", rows.collect::<String>());
        text.push_str(&format!("oops,n,a{end}"));
        // The header, then thirty records of two lines and a blank one.
        let error = prepare(&text).unwrap_err();
        assert!(error.place.contains("line 92, column \"x\""), "{end:?}: {error}");
    }
}

#[test]
fn a_decimal_comma_is_read_where_semicolons_separate() {
    let rows = ["1,5;a", "2,25;b", "-3,5;a", "4;b"].join("\n");
    for text in [format!("x;y\n{rows}\n"), format!("{}\n", rows.replace("4;", "4,0;"))] {
        let prepared = prepare_with(&text, |options| {
            options.scale = data::Scale::None;
            options.target = Some(ColumnRef::Index(1));
        })
        .unwrap();
        assert_eq!(prepared.dataset.features, [1.5, 2.25, -3.5, 4.0]);
    }
}

fn names_of(text: &str, change: impl FnOnce(&mut DataOptions)) -> Vec<String> {
    let folder = Folder::new();
    let mut options = options(folder.write("table.csv", text));
    options.target = None;
    change(&mut options);
    data::load(&options).unwrap_or_else(|error| panic!("{error}")).column_names().map(String::from).collect()
}

#[test]
fn a_header_is_guessed_from_what_stands_below_it() {
    for (text, expected) in [
        ("a,b\n1,2\n3,4\n", "a b"),
        ("1,2\n3,4\n5,6\n", "column_0 column_1"),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n", "column_0 column_1 column_2"),
        // Column numbers as pandas writes them for a table without names.
        ("0,1,2\n5,7,9\n4,4,4\n", "0 1 2"),
        // No number anywhere: names do not come again below.
        ("colour,size\nred,big\nblue,small\nred,small\n", "colour size"),
        ("red,big\nblue,small\nred,small\n", "column_0 column_1"),
        ("x,y\nNA,\n3,b\n", "x y"),
    ] {
        assert_eq!(names_of(text, |_| {}).join(" "), expected, "{text:?}");
    }
    assert_eq!(
        names_of("2019,2020\n1,2\n3,4\n", |options| options.has_header = Some(true)).join(" "),
        "2019 2020"
    );
    assert_eq!(
        names_of("2019,y\n1,2\n3,4\n", |options| options.target = Some(ColumnRef::from("y"))).join(" "),
        "2019 y"
    );
}

#[test]
fn columns_without_names_are_found_by_position() {
    let text = "5.1,a\n4.9,b\n4.0,a\n3.9,b\n";
    for target in [ColumnRef::Index(1), ColumnRef::from("1"), ColumnRef::from("column_1")] {
        let prepared = prepare_with(text, |options| options.target = Some(target)).unwrap();
        assert_eq!(prepared.encoder.class_names(), ["a", "b"]);
        assert_eq!(prepared.encoder.feature_names(), ["column_0"]);
    }
}

#[test]
fn libsvm_rows_are_dense_where_nothing_is_written() {
    let folder = Folder::new();
    let text = "# made by hand\n+1 1:0.5 3:2 # a comment\n-1 qid:4 2:1e1\r\n\n1 3:4\n-1 1:7\n";
    let options = DataOptions { target: None, ..options(folder.write("rows.txt", text)) };
    let table = data::load(&options).unwrap();
    assert_eq!(table.format(), data::Format::Libsvm);
    assert_eq!(table.line(2), Some(5));
    let mut options = options;
    options.scale = data::Scale::None;
    let prepared = data::prepare(&table, &options, 0).unwrap();
    // +1 and 1 are one class, named as it comes first.
    assert_eq!(prepared.encoder.class_names(), ["-1", "+1"]);
    let Targets::Classes(classes) = &prepared.dataset.targets else { panic!("values") };
    assert_eq!(classes, &[1, 0, 1, 0]);
    assert_eq!(prepared.dataset.features, [0.5, 0.0, 2.0, 0.0, 10.0, 0.0, 0.0, 0.0, 4.0, 7.0, 0.0, 0.0]);

    // Rows to predict may lack the label and the last columns, and have columns of their own.
    let other = data::load_for_prediction(&folder.write("new.csv", "x,y\n1,2\n"), &prepared.encoder);
    refused(other, 3, &["new.csv", "layout CSV", "LIBSVM"]);
    let new = folder.write("new.txt", "1:3\n2:5 9:1\n");
    let table = data::load_for_prediction(&new, &prepared.encoder).unwrap();
    assert_eq!(prepared.encoder.encode(&table).unwrap(), [3.0, 0.0, 0.0, 0.0, 5.0, 0.0]);
}

/// The stored form of 0 is not 0 where a column has a centre.
#[test]
fn a_sparse_column_that_new_rows_do_not_have_is_zero_in_its_own_unit() {
    let folder = Folder::new();
    let text = "1 1:1 2:5\n2 1:2 2:6\n1 1:3 2:7\n2 1:4\n";
    let options = DataOptions { target: None, ..options(folder.write("rows.libsvm", text)) };
    let prepared = data::prepare(&data::load(&options).unwrap(), &options, 0).unwrap();
    let new = data::load_for_prediction(&folder.write("new.libsvm", "1:4\n"), &prepared.encoder).unwrap();
    assert_eq!(prepared.encoder.encode(&new).unwrap(), prepared.dataset.row(3));
}

/// An IDX file of the given type and sizes.
fn idx(kind: u8, sizes: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(body);
    bytes
}

#[test]
fn idx_of_every_type_is_read() {
    type Encode = fn(i8) -> Vec<u8>;
    let types: [(u8, Encode); 6] = [
        (0x08, |x| vec![x as u8]),
        (0x09, |x| x.to_be_bytes().to_vec()),
        (0x0b, |x| i16::from(x).to_be_bytes().to_vec()),
        (0x0c, |x| i32::from(x).to_be_bytes().to_vec()),
        (0x0d, |x| f32::from(x).to_be_bytes().to_vec()),
        (0x0e, |x| f64::from(x).to_be_bytes().to_vec()),
    ];
    for (kind, encode) in types {
        let folder = Folder::new();
        let body: Vec<u8> = (0..8).flat_map(encode).collect();
        let path = folder.write("set-images-idx2", idx(kind, &[4, 2], &body));
        let labels = folder.write("labels", idx(kind, &[4], &[1, 2, 1, 2].map(encode).concat()));
        let mut options = DataOptions { labels: Some(labels), target: None, ..options(path) };
        options.scale = data::Scale::None;
        let prepared = data::prepare(&data::load(&options).unwrap(), &options, 0).unwrap();
        assert_eq!(prepared.dataset.features, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "type {kind:02x}");
        assert_eq!(prepared.encoder.class_names(), ["1", "2"]);
        assert_eq!(prepared.encoder.feature_names(), ["feature_0", "feature_1"]);
    }
}

proptest! {
    /// Whatever cells hold, a table written with the quoting of RFC 4180 is read back as it was.
    #[test]
    fn any_cells_survive_quoting(
        cells in prop::collection::vec("[ -~é\n\r\"]{1,6}", 8),
        separator in prop::sample::select(vec![",", ";", "\t"]),
    ) {
        // Spaces around cells are not theirs; labels must be present and repeat.
        let cells: Vec<String> = cells.iter().map(|cell| format!("<{cell}>")).collect();
        let quote = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
        let mut text = format!("x{separator}y\n");
        for (row, cell) in cells.iter().enumerate() {
            text.push_str(&format!("{}.5{separator}{}\n", row * row, quote(cell)));
            text.push_str(&format!("{}.5{separator}{}\n", row * 7, quote(cell)));
        }
        let mut expected = cells;
        expected.sort();
        expected.dedup();
        prop_assume!(expected.len() > 1);
        let prepared = prepare(&text).unwrap();
        prop_assert_eq!(prepared.encoder.class_names(), expected);
    }

    /// No bytes at all make the readers panic, as a file of any name.
    #[test]
    fn no_bytes_panic(
        bytes in prop::collection::vec(prop::sample::select(b"\x00\x00\x08\x01\x02\x1f\x8b,;:\"\n\r\t 1a.-#".to_vec()), 0..60),
        name in prop::sample::select(vec!["t.csv", "t.libsvm", "t-idx3-ubyte", "t.txt"]),
    ) {
        let folder = Folder::new();
        let options = options(folder.write(name, bytes));
        let prepared = data::load(&options).and_then(|table| data::prepare(&table, &options, 0));
        if let Ok(prepared) = prepared {
            let _: &Encoder = &prepared.encoder;
        }
    }
}
