//! Which trials no result leads: what they find, a search that learns nothing finds.

/// The trials that a strategy proposes without looking at results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unguided {
    /// All, each drawn at random.
    Random,
    /// All, points of a sequence that is spread evenly over the space.
    Even,
    /// Such points, as long as fewer results than these are known.
    EvenUntil(u64),
    /// The cells of a grid, so many, behind what is enqueued.
    Cells(u64),
}

impl Unguided {
    /// The number of the first trial that results may have led, of the first `count` trials; `None` where none is.
    ///
    /// `results` says how many results are known when the trial of a number is proposed; of a higher number no
    /// fewer are.
    pub fn end(self, enqueued: u64, count: u64, results: impl Fn(u64) -> u64) -> Option<u64> {
        match self {
            Self::Random | Self::Even => None,
            Self::EvenUntil(needed) => (enqueued..count).find(|number| results(*number) >= needed),
            Self::Cells(cells) => Some(enqueued.saturating_add(cells)).filter(|end| *end < count),
        }
    }
}
