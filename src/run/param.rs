//! The parameters of a budget, read as the types that a workload wants.

use perf_budget_core::budget::Param;

use super::failed::Failed;

/// A type that [`Run::param`](super::Run::param) reads a parameter as: every integer and float, `bool` and `String`.
///
/// A number without a point is read as an integer or a float, and one with a point only as a float. No other type can
/// implement this trait.
pub trait Parameter: sealed::Read {}

mod sealed {
    use perf_budget_core::budget::Param;

    pub trait Read: Sized {
        /// An example of a value of this type in `budgets.toml`.
        const EXAMPLE: &'static str;

        /// Returns the value, if it is of this type.
        fn read(param: &Param) -> Option<Self>;
    }
}

/// Reads the parameter `name` from those that the budget gives.
pub(super) fn param<T: Parameter>(params: &[(String, Param)], name: &str) -> Result<T, Failed> {
    let Some((_, found)) = params.iter().find(|param| param.0 == name) else {
        let given: Vec<_> = params.iter().map(|param| format!("`{}`", param.0)).collect();
        let given = if given.is_empty() { "none".to_owned() } else { given.join(", ") };
        return Err(Failed::from(format!(
            "failed to read the parameter `{name}`: the budget does not give it \
             (it gives {given}); add `params = {{ {name} = {} }}` to the budget in budgets.toml",
            T::EXAMPLE
        )));
    };
    T::read(found).ok_or_else(|| {
        let wanted = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
        Failed::from(format!(
            "failed to read the parameter `{name}`: {} is not of type {wanted}; write \
             `{name} = {}` in budgets.toml, or read it as another type",
            written(found),
            T::EXAMPLE
        ))
    })
}

/// Writes a value as in `budgets.toml`.
fn written(param: &Param) -> String {
    match param {
        Param::Text(text) => format!("{text:?}"),
        Param::Float(value) => format!("{value:?}"),
        Param::Int(_) | Param::Bool(_) => param.to_string(),
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Parameter for $integer {}

        impl sealed::Read for $integer {
            const EXAMPLE: &'static str = "1000";

            fn read(param: &Param) -> Option<Self> {
                match param {
                    Param::Int(value) => (*value).try_into().ok(),
                    Param::Float(_) | Param::Bool(_) | Param::Text(_) => None,
                }
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

macro_rules! floats {
    ($($float:ty),*) => {$(
        impl Parameter for $float {}

        impl sealed::Read for $float {
            const EXAMPLE: &'static str = "0.5";

            fn read(param: &Param) -> Option<Self> {
                match param {
                    Param::Int(value) => Some(*value as $float),
                    Param::Float(value) => Some(*value as $float),
                    Param::Bool(_) | Param::Text(_) => None,
                }
            }
        }
    )*};
}

floats!(f32, f64);

impl Parameter for bool {}

impl sealed::Read for bool {
    const EXAMPLE: &'static str = "true";

    fn read(param: &Param) -> Option<Self> {
        match param {
            Param::Bool(value) => Some(*value),
            Param::Int(_) | Param::Float(_) | Param::Text(_) => None,
        }
    }
}

impl Parameter for String {}

impl sealed::Read for String {
    const EXAMPLE: &'static str = "\"text\"";

    fn read(param: &Param) -> Option<Self> {
        match param {
            Param::Text(text) => Some(text.clone()),
            Param::Int(_) | Param::Float(_) | Param::Bool(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn read<T: Parameter>(name: &str) -> Result<T, String> {
        let params = [
            ("ops".to_owned(), Param::Int(300)),
            ("load".to_owned(), Param::Float(0.5)),
            ("kind".to_owned(), Param::Text("text".into())),
            ("warm".to_owned(), Param::Bool(true)),
        ];
        param(&params, name).map_err(|failed| failed.0.text)
    }

    #[track_caller]
    fn check<T: Parameter + PartialEq + Debug>(name: &str, expected: T) {
        assert_eq!(read::<T>(name), Ok(expected));
    }

    #[track_caller]
    fn refused<T: Parameter + Debug>(name: &str, text: &str) {
        let message = read::<T>(name).unwrap_err();
        assert_eq!(message, format!("failed to read the parameter {text}"));
    }

    #[test]
    fn a_parameter_is_read_as_its_type() {
        check::<usize>("ops", 300);
        check::<i64>("ops", 300);
        check::<f64>("ops", 300.0);
        check::<f64>("load", 0.5);
        check::<String>("kind", "text".into());
        check::<bool>("warm", true);
    }

    #[test]
    fn a_missing_or_mistyped_parameter_names_the_remedy() {
        refused::<usize>(
            "records",
            "`records`: the budget does not give it (it gives `ops`, `load`, `kind`, \
             `warm`); add `params = { records = 1000 }` to the budget in budgets.toml",
        );
        refused::<u8>(
            "ops",
            "`ops`: 300 is not of type u8; write `ops = 1000` in budgets.toml, or read it as \
             another type",
        );
        refused::<u32>(
            "load",
            "`load`: 0.5 is not of type u32; write `load = 1000` in budgets.toml, or read it as \
             another type",
        );
        refused::<bool>(
            "kind",
            "`kind`: \"text\" is not of type bool; write `kind = true` in budgets.toml, or read \
             it as another type",
        );
        refused::<String>(
            "warm",
            "`warm`: true is not of type String; write `warm = \"text\"` in budgets.toml, or \
             read it as another type",
        );
    }
}
