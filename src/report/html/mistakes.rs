//! The page of the worst mistakes: the rows that the best models are most wrong about, out of fold.

use super::{Page, Subject, missing, pictures};
use crate::data::Targets;
use crate::report::mistakes;
use crate::study::outside::Outside;
use serde_json::{Value, json};

/// Rows as tables or as images.
pub struct Mistakes;

/// Rows that are shown.
const ROWS: usize = 60;
/// Rows that are shown where none is a mistake.
const CLOSEST: usize = 12;
/// Columns of a row that are shown; wider tables say so.
const COLUMNS: usize = 60;

impl Page for Mistakes {
    fn name(&self) -> &'static str {
        "mistakes"
    }
    fn title(&self) -> &'static str {
        "Mistakes"
    }
    fn script(&self) -> &'static str {
        include_str!("assets/pages/mistakes.js")
    }

    fn data(&self, subject: &Subject) -> Option<Value> {
        subject.stored.as_ref()?;
        Some(match subject.outside() {
            Ok(outside) => of_rows(outside),
            Err(error) => json!({ "missing": missing(error) }),
        })
    }
}

fn of_rows(outside: &Outside) -> Value {
    let (table, encoder) = (&outside.table, outside.encoder());
    let size = pictures::size(table, encoder);
    let target = encoder.target_name();
    let names: Vec<&str> = table.column_names().collect();
    let learned = pictures::learned(table, encoder);
    let shown = if size.is_some() { learned.len() } else { learned.len().min(COLUMNS) };
    let worst = outside.worst();
    let wrong_count = worst.iter().filter(|mistake| mistake.badness > 0.0).count();
    // Where no row is taken for another class, those that come closest to it.
    let shown_count = if wrong_count > 0 { wrong_count.min(ROWS) } else { CLOSEST };
    let mut rows = mistakes::json(outside, shown_count);
    for (row, mistake) in rows.as_array_mut().into_iter().flatten().zip(&worst) {
        let at = outside.prepared.rows[mistake.row as usize] as usize;
        row["cells"] = match size {
            Some(_) => json!(pictures::pixels(table, at, &learned)),
            None => learned[..shown].iter().map(|&column| table.cell(at, column).into_owned()).collect(),
        };
        row["is_doubtful"] = json!(mistakes::is_doubtful(outside, mistake));
    }
    json!({
        "trial": outside.trial,
        "is_of_classes": matches!(outside.dataset().targets, Targets::Classes(_)),
        "target": target,
        "row_count": worst.len(),
        "wrong_count": wrong_count,
        "doubtful_count": worst.iter().filter(|mistake| mistakes::is_doubtful(outside, mistake)).count(),
        "doubtful_below": mistakes::DOUBTFUL,
        "trained_on_count": worst.iter().filter(|mistake| mistake.said.is_trained_on).count(),
        "columns": learned[..shown].iter().map(|&column| names[column]).collect::<Vec<_>>(),
        "columns_left_out": learned.len() - shown,
        "picture": size.map(|size| json!({ "width": size.width, "height": size.height })),
        "rows": rows,
    })
}
