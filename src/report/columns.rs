//! Cells in columns, for people.

/// Characters between two columns.
pub const GAP: &str = "  ";

/// Columns aligned to the right, below a head that is as long as every row.
pub fn grid(head: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    lines(&rows, |cell, width| format!("{cell:>width$}"))
}

/// Columns aligned to the left; rows may end early.
pub fn left(rows: &[Vec<String>]) -> String {
    lines(rows, |cell, width| format!("{cell:width$}"))
}

fn lines(rows: &[Vec<String>], padded: fn(&str, usize) -> String) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| padded(cell, width)).collect();
        format!("{}\n", cells.join(GAP).trim_end())
    };
    rows.iter().map(line).collect()
}
