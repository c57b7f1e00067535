use super::DOTS;
use crate::model::buffer::Buffer;
use crate::model::real::{Epilogue, Matrix, Real};
use crate::random::{Purpose, Stream, uniform};

/// Rows, inner, columns: tiles and strips that are filled or not, narrow and single columns, strips that spill
/// from 8 lanes on, columns of either operand that crowd, edges of blocks that are turned.
const SIZES: [[usize; 3]; 17] = [
    [1, 1, 1],
    [5, 3, 2],
    [12, 16, 32],
    [13, 7, 33],
    [256, 2, 64],
    [32, 32, 2],
    [7, 64, 3],
    [100, 20, 8],
    [31, 49, 40],
    [48, 171, 31],
    [33, 300, 9],
    [60, 256, 75],
    [50, 256, 128],
    [128, 128, 64],
    [197, 48, 197],
    [48, 257, 75],
    [256, 130, 70],
];

/// `count` numbers in -1..1, so many places behind the beginning of a line of the cache.
fn numbers(count: usize, salt: u32, behind: usize) -> Buffer<f32> {
    let stream = Stream::new(5, Purpose::Verify, 0, salt, 0);
    let mut numbers = Buffer::zeros(behind + count);
    let places = numbers[behind..].iter_mut().enumerate();
    places.for_each(|(i, number)| *number = 2.0 * uniform(stream.word(i as u32)) - 1.0);
    numbers
}

/// (row, column) as it lies, or on its side.
fn laid(data: &[f32], [rows, columns]: [usize; 2], on_its_side: bool) -> Matrix<'_, f32> {
    match on_its_side {
        false => Matrix::row_major(data, columns),
        true => Matrix::row_major(data, rows).transposed(),
    }
}

/// Checks every element: to the bit, one sum in the order of `inner`, each product added unrounded. Dot products have a
/// sum for each lane; as |x·y| <= 1, their rounding is below inner² units of 2⁻²⁴.
fn check([rows, inner, columns]: [usize; 3], left: Matrix<'_, f32>, right: Matrix<'_, f32>, out: &[f32]) {
    assert_eq!(out.len(), rows * columns);
    let number = |matrix: Matrix<'_, f32>, i: usize, j: usize| {
        matrix.data[i * matrix.row_stride + j * matrix.column_stride]
    };
    let sums_dots = columns <= DOTS && left.column_stride == 1;
    for (place, &sum) in out.iter().enumerate() {
        let (row, column) = (place / columns, place % columns);
        let terms = (0..inner).map(|k| (number(left, row, k), number(right, k, column)));
        if !sums_dots {
            let expected = terms.fold(0.0_f32, |sum, (x, y)| x.mul_add(y, sum));
            assert_eq!(sum.to_bits(), expected.to_bits(), "{rows} {inner} {columns}, place {place}");
            continue;
        }
        let expected: f64 = terms.map(|(x, y)| f64::from(x) * f64::from(y)).sum();
        let (off, allowed) = ((f64::from(sum) - expected).abs(), (inner * inner) as f64 / f64::from(1 << 24));
        assert!(off <= allowed, "{rows} {inner} {columns}, place {place}: {off}");
    }
}

#[test]
fn every_element_is_its_sum_however_the_operands_lie() {
    for [rows, inner, columns] in SIZES {
        for layout in 0..4 {
            let sides = [layout & 1 != 0, layout & 2 != 0];
            let mut found = Vec::new();
            for behind in [0, 3] {
                let left = numbers(rows * inner, 1, behind);
                let right = numbers(inner * columns, 2, behind);
                let left = laid(&left[behind..], [rows, inner], sides[0]);
                let right = laid(&right[behind..], [inner, columns], sides[1]);
                let mut out = numbers(rows * columns, 3, behind);
                let out = &mut out[behind..];
                out.fill(f32::NAN);
                f32::product([rows, inner, columns], left, right, Epilogue::Replace, out);
                check([rows, inner, columns], left, right, out);
                found.push(out.iter().map(|sum| sum.to_bits()).collect::<Vec<_>>());
            }
            assert!(found[0] == found[1], "{rows} {inner} {columns} {layout}: bits differ with the place");
        }
    }
}

#[test]
fn every_epilogue_ends_every_element() {
    for [rows, inner, columns] in SIZES {
        let (left, right) = (numbers(rows * inner, 1, 0), numbers(inner * columns, 2, 0));
        let (before, bias) = (numbers(rows * columns, 3, 0), numbers(columns, 4, 0));
        let product = |epilogue| {
            let mut out = before.clone();
            let (left, right) = (Matrix::row_major(&left, inner), Matrix::row_major(&right, columns));
            f32::product([rows, inner, columns], left, right, epilogue, &mut out);
            out
        };
        let sums = product(Epilogue::Replace);
        for epilogue in [Epilogue::Add, Epilogue::Multiply, Epilogue::Gate(1.25), Epilogue::Bias(&bias)] {
            for (place, &found) in product(epilogue).iter().enumerate() {
                let expected = epilogue.apply(sums[place], before[place], place % columns);
                assert_eq!(found.to_bits(), expected.to_bits(), "{rows} {inner} {columns}, place {place}");
            }
        }
    }
}
