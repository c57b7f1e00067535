//! Kernel machines: C-SVC, one against one for more than two classes, and ε-SVR.
//!
//! | file | what is in it |
//! |---|---|
//! | `kernel/` | kernel functions of a pair's *base*, its squared distance or inner product |
//! | `base.rs` | bases of rows with rows, and the matrix of them that all machines of a fold share |
//! | `set.rs` | a fold's rows, grouped by class, with their bases |
//! | `rows.rs` | rows of a kernel matrix that fits |
//! | `cache.rs` | rows of one that does not |
//! | `smo/` | the solver of one dual problem |
//! | `dual.rs` | a solver seen from inside, for the verifier |
//! | `path.rs` | one problem for several C, each from the solution of a smaller one |
//! | `pair.rs` | the problems of a fold: one a pair of classes, or one of values |
//! | `platt.rs` | probabilities of a decision value |
//! | `group.rs` | machines that differ in C alone, with their scores |
//! | `machine.rs` | what is kept of a solution: support vectors and coefficients; prediction |

pub mod base;
pub mod cache;
pub mod dual;
pub mod group;
pub mod kernel;
pub mod machine;
pub mod pair;
pub mod path;
pub mod platt;
pub mod rows;
pub mod set;
pub mod settings;
pub mod smo;
