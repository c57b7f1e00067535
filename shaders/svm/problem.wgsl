// What solving, deciding and reading a problem share: its rows among those of the fold, and their kernel values.

@group(0) @binding(1) var<storage, read> problems: array<Problem>;

// The column of the fold that a quad of the problem's rows is.
fn column_of(problem: Problem, quad: u32) -> u32 {
    if (quad < problem.first_count) {
        return problem.first_at + quad;
    }
    return problem.second_at + (quad - problem.first_count);
}

// The training row of the fold that a row of the problem is.
fn row_of(problem: Problem, row: u32) -> u32 {
    return 4u * column_of(problem, row / 4u) + row % 4u;
}

// K of a training row with four columns. Sealed on both sides, so that it is the same wherever it is computed.
fn kernel_values(problem: Problem, row: u32, column: u32) -> vec4<f32> {
    let scalars = KernelScalars(problem.gamma, problem.coef0, problem.degree);
    return seal4(kernel(problem.kernel, scalars, seal4(base4(row, column))));
}
