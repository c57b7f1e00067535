//! What can be trained, independent of where it is trained: the families, the network they compose,
//! and one training step, generic over the number type ([`Real`](real::Real)).

pub mod activation;
pub mod buffer;
pub mod glance;
pub mod hyperparameter;
pub mod initializer;
pub mod inside;
pub mod layer;
pub mod loss;
pub mod lr_schedule;
pub mod metric;
pub mod network;
pub mod optimizer;
pub mod primitive;
mod product;
pub mod real;
pub mod recipe;
pub mod svm;
pub mod team;
pub mod trainer;
